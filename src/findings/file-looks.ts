import { madeOnce } from './kept.ts';
import { namedHost } from './named-host.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import type { FileLook, LooksInput, LooksOutput } from './searching.ts';
import { spellingsIn } from './spellings.ts';

const PART = `SELECT place, status FROM place WHERE place > ? ORDER BY place LIMIT ?`;

/** Places of a file after one of them, in order, with the words they may be asked for by. */
export const fileLooks = (files: OpenFiles, { file: path, after, limit }: LooksInput): Promise<LooksOutput> =>
  files.use(path, (file) => {
    const spellings = spellingsIn(file);
    const isArtefact = artefactTest(file);
    const rows = file.db.prepare(PART).all(after, limit);
    const looks = rows.map(({ place: text, status }): FileLook => {
      const place = String(text);
      const also = [...(spellings.get(place) ?? [])];
      const isUnplaced = also.length === 0 && !isArtefact(place) && isOtherName(place);
      return {
        place,
        isLooked: status === 'tested' || status === 'partial',
        also: isUnplaced ? 'unknown' : also,
      };
    });
    return { engine: file.engine, looks, isLast: rows.length < limit };
  });

/** A host name: no address, no file, and not the one name that means the same everywhere. */
function isOtherName(place: string): boolean {
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
