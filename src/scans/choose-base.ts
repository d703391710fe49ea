import { AppError } from '../model/errors.ts';
import { isFinal, type ScanRecord } from '../model/scan.ts';
import type { ScanQueue } from '../queue/queue.ts';
import { beganAt, createRelation, type Relation } from './same-targets.ts';
import { isoTime } from './time.ts';

/** Scans looked at for a base, newest first: more are not worth the wait. */
const MOST_SCANS = 2_000;
const PAGE = 100;
const CANDIDATES_SHOWN = 5;

const RANKS: Readonly<Record<Relation, number>> = { same: 0, covers: 1, other: 2 };

interface Candidate {
  readonly scan: ScanRecord;
  readonly relation: Relation;
  /** Why it was not chosen, in our words. */
  readonly unfit: string | undefined;
}

export const hasResults = ({ state, result }: ScanRecord): boolean =>
  isFinal(state) && result?.artefacts.some(({ kind }) => kind === 'findings') === true;

/**
 * The newest finished scan of the same targets, engine and access from before `head` began; where no set of targets is
 * equal, one whose targets hold all of them.
 * @param before Epoch milliseconds: only scans that finished earlier.
 * @throws AppError scan_not_found with the scans that come nearest
 */
export async function chooseBase(queue: ScanQueue, head: ScanRecord, before: number | undefined): Promise<ScanRecord> {
  const latest = Math.min(beganAt(head), before ?? Infinity);
  const relationOf = createRelation(head.request.targets);
  const candidates: Candidate[] = [];
  for await (const scan of scansOf(queue, head, relationOf)) {
    const relation = relationOf(scan.request.targets);
    candidates.push({ scan, relation, unfit: unfitness(scan, head, relation, latest) });
  }
  const [best] = candidates.filter(({ unfit }) => unfit === undefined).toSorted(byFitness);
  if (best) return best.scan;
  throw new AppError('scan_not_found', 'There is no earlier finished scan to compare with.', {
    hint: hintOf(candidates),
  });
}

/** Equal targets first, then the newest. */
const byFitness = (a: Candidate, b: Candidate): number =>
  RANKS[a.relation] - RANKS[b.relation] || (b.scan.finishedAt ?? 0) - (a.scan.finishedAt ?? 0);

/** Finished scans that have results and a target in common with `head`. */
async function* scansOf(
  queue: ScanQueue,
  head: ScanRecord,
  relationOf: (there: readonly string[]) => Relation,
): AsyncGenerator<ScanRecord> {
  const { targets } = head.request;
  const own = new Set(targets);
  const matchesTargets = (there: readonly string[]): boolean =>
    there.some((text) => own.has(text)) || relationOf(there) !== 'other';
  let cursor: string | undefined;
  for (let seen = 0; seen < MOST_SCANS; seen += PAGE) {
    const page = await queue.list(head.tenant, {
      matchesTargets,
      targetKey: JSON.stringify(targets),
      limit: PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const scan of page.scans) if (scan.scanId !== head.scanId && hasResults(scan)) yield scan;
    cursor = page.nextCursor;
    if (cursor === undefined) return;
  }
}

function unfitness(scan: ScanRecord, head: ScanRecord, relation: Relation, latest: number): string | undefined {
  if (scan.engine !== head.engine) return 'another engine';
  if (relation === 'other') return 'other targets';
  if (scan.request.access !== head.request.access || scan.request.privilege !== head.request.privilege) {
    return 'other access';
  }
  return (scan.finishedAt ?? Infinity) > latest ? 'not finished before then' : undefined;
}

function hintOf(candidates: readonly Candidate[]): string {
  const shown = candidates
    .toSorted(byFitness)
    .slice(0, CANDIDATES_SHOWN)
    .map(({ scan: { scanId, finishedAt }, unfit }) => `${scanId} (${isoTime(finishedAt ?? 0)}, ${unfit ?? 'fits'})`);
  if (shown.length === 0) return 'No finished scan has a target in common with it; list_scans shows what there is.';
  return `Name one as base_scan_id: ${shown.join('; ')}.`;
}
