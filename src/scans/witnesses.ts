import type { FindingAnswer } from '../model/contract/results.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { Finding } from '../findings/findings.ts';
import { placeLabels, placeNameOf } from '../findings/place-labels.ts';
import type { LatestLook, ScanIndex } from '../queue/scan-index.ts';
import { hasResults } from './choose-base.ts';
import type { ScanDeps } from './deps.ts';
import type { IndexScans } from './index-scans.ts';
import { byAge } from './newest-scans.ts';
import { readable } from './readable.ts';
import { createRelation } from './same-targets.ts';
import { wantedPlaces } from './search-places.ts';
import { isoTime } from './time.ts';

export interface WitnessDeps extends Pick<ScanDeps, 'queue' | 'findings' | 'files' | 'log'> {
  readonly index: ScanIndex;
  readonly indexScans: IndexScans;
}

export type Witnesses = Pick<FindingAnswer, 'witnesses' | 'history'>;

const MAX_WITNESSES = 10;
const MAX_HISTORY = 10;
/** Earlier scans looked at for the history. */
const MAX_CANDIDATES = 100;
const MAX_CVES = 50;

/**
 * What other scans say of a finding: the same CVE at the same place in the newest scan of each engine, and whether
 * earlier scans of its own engine that looked there had it. A file that cannot be read is left out.
 */
export function createWitnesses(deps: WitnessDeps): (scan: ScanRecord, finding: Finding) => Promise<Witnesses> {
  return async (scan, finding) => {
    const labels = placeLabels(finding.location);
    if (labels.length === 0) return {};
    await deps.indexScans(scan.tenant);
    const [witnesses, history] = await Promise.all([
      witnessesOf(deps, scan, finding, labels),
      historyOf(deps, scan, finding, labels),
    ]);
    return { ...(witnesses.length > 0 && { witnesses }), ...(history.length > 0 && { history }) };
  };
}

async function witnessesOf(
  deps: WitnessDeps,
  scan: ScanRecord,
  { cves, location, finding_id: not }: Finding,
  labels: readonly string[],
): Promise<NonNullable<Witnesses['witnesses']>> {
  if (cves.length === 0) return [];
  const found: NonNullable<Witnesses['witnesses']> = [];
  for (const { engine = '', scanId } of await newestPerEngine(deps, scan, labels)) {
    if (found.some((one) => one.engine === engine) || found.length === MAX_WITNESSES) continue;
    const other = await deps.queue.get(scan.tenant, scanId);
    const file = other && deps.files.findingsOf(other);
    if (file === undefined || scanId === scan.scanId) continue;
    const witness = await readable(deps.log, scanId, () =>
      deps.findings.witness({
        ref: { file, scanId },
        cves: cves.slice(0, MAX_CVES),
        labels,
        not,
        ...(location.port === undefined ? {} : { port: location.port }),
        ...(location.package === undefined ? {} : { package: location.package }),
      }),
    );
    if (witness) found.push({ scan_id: scanId, engine, ...witness });
  }
  return found;
}

/**
 * By its label, its address, and the URLs its own scan was asked for; of each engine the newest look under one of these,
 * then the newest under another word for them: another name of the address may not show what this one does.
 */
async function newestPerEngine(
  { index }: WitnessDeps,
  { tenant, request }: ScanRecord,
  labels: readonly string[],
): Promise<readonly LatestLook[]> {
  const urls = request.targets.filter((text) => text.includes('://'));
  const words = new Set([...labels.map(placeNameOf), ...urls]);
  const [own, others] = [new Map<string, LatestLook>(), new Map<string, LatestLook>()];
  for (const word of words) {
    for (const look of await index.latestAt(tenant, word)) {
      const newest = words.has(look.place) ? own : others;
      const known = newest.get(look.engine ?? '');
      if (look.engine !== undefined && (!known || byAge(look, known) < 0)) newest.set(look.engine, look);
    }
  }
  return [own, others].flatMap((newest) => [...newest.values()].toSorted(byAge));
}

async function historyOf(
  deps: WitnessDeps,
  scan: ScanRecord,
  { fingerprint }: Finding,
  labels: readonly string[],
): Promise<NonNullable<Witnesses['history']>> {
  const history: NonNullable<Witnesses['history']> = [];
  for (const { scanId, finishedAt = 0, file } of await earlierScans(deps, scan, labels)) {
    const seen = await readable(deps.log, scanId, () => deps.findings.presence({ file, fingerprint, labels }));
    if (seen?.looked) history.push({ scan_id: scanId, finished_at: isoTime(finishedAt), present: seen.present });
    if (history.length === MAX_HISTORY) break;
  }
  return history;
}

/** Of those that finished at the same time, the ones that were created earlier: the list has the last one first. */
async function earlierScans({ queue, files }: WitnessDeps, scan: ScanRecord, labels: readonly string[]) {
  const relationOf = createRelation(scan.request.targets);
  const places = labels.map((label) => wantedPlaces(undefined, label));
  const { scans } = await queue.list(scan.tenant, {
    matchesTargets: (there) =>
      relationOf(there) !== 'other' ||
      there.some((text) => places.some((place) => !place.everywhere && place.has(text))),
    targetKey: labels.join(' '),
    limit: MAX_CANDIDATES,
  });
  const own = scans.findIndex(({ scanId }) => scanId === scan.scanId);
  const end = scan.finishedAt ?? 0;
  return scans
    .filter(({ finishedAt = 0 }, at) => finishedAt < end || (finishedAt === end && own >= 0 && at > own))
    .filter(({ engine }) => engine === scan.engine)
    .flatMap((one) => {
      const file = hasResults(one) ? files.findingsOf(one) : undefined;
      return file === undefined ? [] : [{ ...one, file }];
    })
    .toSorted((a, b) => (b.finishedAt ?? 0) - (a.finishedAt ?? 0));
}
