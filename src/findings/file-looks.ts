import { isIP } from 'node:net';
import { madeOnce } from './kept.ts';
import { namedHost } from './named-host.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import type { FileLook, LooksInput, LooksOutput } from './searching.ts';
import { spellingsIn } from './spellings.ts';

/** Places of a file after one of them, in order, with the words they may be asked for by. */
export const fileLooks = (files: OpenFiles, input: LooksInput): Promise<LooksOutput> =>
  files.use(input.file, (file) => {
    const looks: FileLook[] = [];
    for (const look of looksAfter(file, input)) {
      looks.push(look);
      if (looks.length === input.limit) return { engine: file.engine, looks, isLast: false };
    }
    return { engine: file.engine, looks, isLast: true };
  });

function* looksAfter(file: OpenFindings, { after, words }: LooksInput): Generator<FileLook> {
  const spellings = spellingsIn(file);
  const isArtefact = artefactTest(file);
  const rows = file.db.prepare('SELECT place, status FROM place WHERE place > ? ORDER BY place').iterate(after);
  for (const { place: text, status } of rows) {
    const place = String(text);
    const also = [...(spellings.get(place) ?? [])];
    if (words?.some((word) => place.includes(word) || also.includes(word)) === false) continue;
    const isUnplaced = also.length === 0 && !isArtefact(place) && isOtherName(place);
    yield { place, isLooked: status === 'tested' || status === 'partial', also: isUnplaced ? 'unknown' : also };
  }
}

/** A host name: no address, no file, and not the one name that means the same everywhere. */
function isOtherName(place: string): boolean {
  if (isIP(place) !== 0) return false;
  const host = namedHost(place);
  return host !== undefined && 'name' in host && host.name !== 'localhost';
}

/** Findings in files, images and packages have a label and no host; where all are such, every place may be one. */
const artefactTest = madeOnce(({ db }: OpenFindings): ((place: string) => boolean) => {
  const rows = db.prepare("SELECT label FROM host WHERE name IS NULL AND address_key IS NULL AND label <> ''").all();
  const labels = new Set(rows.map(({ label }) => String(label)));
  const host = db.prepare('SELECT 1 FROM host WHERE name IS NOT NULL OR address_key IS NOT NULL LIMIT 1').get();
  return (place) => labels.has(place) || (labels.size > 0 && host === undefined);
});
