import type { Seen, StandingInput, StandingOutput } from '../findings/searching.ts';
import { askedPlace, wordsInQuestion } from './asked-place.ts';
import { readable } from './readable.ts';
import type { Asked } from './search-hits.ts';
import { allScans, MOST_SCANS, type SearchedScan, type SearchScansDeps, type Which } from './search-scans.ts';
import { inSlices } from './slices.ts';

/** Newer scans that one older scan is held against; what more of them could disprove is not. */
const MOST_NEWER = 100;

interface Left {
  readonly engine: string;
  /** 0: none. */
  readonly port: number;
  readonly protocol: string;
}

/** What older scans found and no newer one of their engine disproves. */
export interface Standing {
  /** By word in question. */
  readonly at: ReadonlyMap<string, readonly Left[]>;
  /** Engines with too much of it to be told one by one: nothing is proven by them. */
  readonly engines: ReadonlySet<string>;
  readonly hosts: number;
}

export const NOTHING_STANDS: Standing = { at: new Map(), engines: new Set(), hosts: 0 };

/** Whether something an engine found at a word is not disproved by it. */
export const standsFor = ({ at, engines }: Standing, engine: string, word: string): boolean =>
  engines.has(engine) || at.get(word)?.some((left) => left.engine === engine) === true;

/**
 * What the scans that are searched do not show, and are not proven to have looked for where an older scan found it: the
 * same port and page, with the same access. Older ones are all that finished, whatever time the question names.
 */
export async function whatStands(deps: SearchScansDeps, which: Which, asked: Asked): Promise<Standing> {
  // Every scan was searched, and none has it.
  if (!which.latestOnly && which.finishedAfter === -Infinity) return NOTHING_STANDS;
  const at = new Map<string, Left[]>();
  const [engines, hosts] = [new Set<string>(), new Set<string>()];
  const newerThan = createNewer(asked.searched.scans);
  let opened = 0;
  for await (const older of allScans(deps, { ...which, finishedAfter: -Infinity }, false)) {
    opened += 1;
    if (opened > MOST_SCANS) break;
    const { seen, isCut } = await leftOf(deps, older, { asked, newerThan });
    if (isCut) engines.add(older.engine);
    for (const one of seen) {
      for (const word of wordsOf(one, asked)) note(at, word, { ...one, engine: older.engine });
      hosts.add(one.place);
    }
  }
  return { at, engines, hosts: hosts.size };
}

function note(at: Map<string, Left[]>, word: string, { engine, port, protocol }: Left): void {
  const known = at.get(word);
  if (!known) at.set(word, [{ engine, port, protocol }]);
  else if (!known.some((one) => one.engine === engine && one.port === port && one.protocol === protocol))
    known.push({ engine, port, protocol });
}

const UNREAD: StandingOutput = { seen: [], isCut: false };

type NewerThan = (older: SearchedScan, words: ReadonlySet<string>) => Promise<readonly SearchedScan[]>;

/** First where it was seen at all: most files have none of it, and newer ones are opened only where there is. */
async function leftOf(
  { findings, log }: SearchScansDeps,
  older: SearchedScan,
  { asked, newerThan }: { readonly asked: Asked; readonly newerThan: NewerThan },
): Promise<StandingOutput> {
  const { scanId, file, facts } = older;
  const ask = async (newer: StandingInput['newer']): Promise<StandingOutput> => {
    const input = { file, facts, filter: asked.question.filter, newer };
    const { seen, isCut } = (await readable(log, scanId, () => findings.standing(input))) ?? UNREAD;
    return { seen: seen.filter((one) => wordsOf(one, asked).length > 0), isCut };
  };
  const everywhere = await ask([]);
  if (everywhere.seen.length === 0) return everywhere;
  const words = new Set(everywhere.seen.flatMap(({ place, also }) => [place, ...also]));
  const newer = await newerThan(older, words);
  return newer.length === 0 ? everywhere : ask(newer.slice(0, MOST_NEWER));
}

/** Words in question that a place is asked about by. */
function wordsOf({ place, also }: Seen, { question }: Asked): readonly string[] {
  const there = askedPlace({ place, also }, question.wanted);
  return there === undefined ? [] : wordsInQuestion(there);
}

/** Of the scans that are searched, those of the same engine that speak for one of the places and ended later. */
function createNewer(scans: readonly SearchedScan[]): NewerThan {
  let byWord: Promise<ReadonlyMap<string, readonly SearchedScan[]>> | undefined;
  return async (older, words) => {
    byWord ??= scansByWord(scans);
    const known = await byWord;
    const newer = new Set([...words].flatMap((word) => known.get(word) ?? []));
    return [...newer].filter(
      ({ engine, scanId, finishedAt }) =>
        engine === older.engine && scanId !== older.scanId && finishedAt >= older.finishedAt,
    );
  };
}

async function scansByWord(scans: readonly SearchedScan[]): Promise<ReadonlyMap<string, readonly SearchedScan[]>> {
  const found = new Map<string, SearchedScan[]>();
  for (const scan of scans) {
    for await (const slice of inSlices(scan.places)) {
      for (const { place, also } of slice) {
        for (const word of [place, ...also]) {
          const known = found.get(word);
          if (known) known.push(scan);
          else found.set(word, [scan]);
        }
      }
    }
  }
  return found;
}
