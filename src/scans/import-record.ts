import { verdictOf, type Verdict } from '../model/coverage.ts';
import type { Artefact } from '../model/scan.ts';
import { cleanLine } from '../model/untrusted.ts';
import type { Ingested, Looked, ReportedHost } from '../findings/findings.ts';
import type { NewImport } from '../queue/queue.ts';
import type { Ask } from './deps.ts';
import { targetsOf } from './import-targets.ts';

/** No pool of scanners.yaml ran it. */
export const IMPORTED = 'imported';

export interface ReportRead {
  readonly scanId: string;
  readonly ask: Ask;
  readonly ingested: Ingested;
  readonly hosts: readonly ReportedHost[];
  readonly looked: Looked;
  readonly raw: Artefact;
  readonly name: string | undefined;
  readonly requestHash: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** The record of a report, as if its scan had been asked for: its hosts are the targets, its proven logins the access. */
export function importRecord({
  scanId,
  ask,
  ingested,
  hosts,
  looked,
  raw,
  name,
  requestHash,
  now,
}: ReportRead): NewImport {
  const isLoggedIn = looked.places.some(({ login }) => login === 'success' || login === 'partial');
  const { coverage, authentication, loginProblems, findings, bySeverity, artefact } = ingested;
  return {
    scanId,
    tenant: ask.caller.tenant,
    traceId: ask.traceId,
    engine: looked.engine,
    requestHash,
    ...(name === undefined ? {} : { name: cleanLine(name, 200) }),
    request: {
      access: isLoggedIn ? 'authenticated' : 'untrusted',
      targets: [...targetsOf(hosts, looked.places)],
      pool: IMPORTED,
      // What the engine was told is not known; these stand for "not said".
      intensity: 'standard',
      priority: 5,
      max_duration_minutes: 1_440,
    },
    ...timesOf(ingested, now),
    result: {
      verdict: verdictOfImport(ingested),
      coverage,
      ...(authentication ? { authentication } : {}),
      ...(loginProblems ? { login_problems: loginProblems } : {}),
      findings,
      by_severity: bySeverity,
      artefacts: [raw, artefact],
    },
  };
}

/** Findings prove that somebody looked, but not how far. */
function verdictOfImport({ coverage, findings, ended, readError }: Ingested): Verdict {
  const verdict = verdictOf(coverage, ended && readError === undefined);
  return verdict === 'not_tested' && findings > 0 ? 'partial' : verdict;
}

/**
 * The scan's own times, so that an old report is not taken for the newest look. A clock that ran ahead of ours must not
 * make a report newer than everything that is still to come.
 */
function timesOf({ source }: Ingested, now: number): Pick<NewImport, 'startedAt' | 'finishedAt'> {
  const finishedAt = Math.min(pastOf(source.finishedAt) ?? pastOf(source.startedAt) ?? now, now);
  const startedAt = pastOf(source.startedAt);
  return { finishedAt, ...(startedAt === undefined || startedAt > finishedAt ? {} : { startedAt }) };
}

/** Some exports say 0 where they know no time. */
const pastOf = (at: number | undefined): number | undefined =>
  at !== undefined && Number.isSafeInteger(at) && at > 0 ? at : undefined;
