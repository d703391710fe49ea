import { join } from 'node:path';
import { createFindingsStore } from '../src/findings/findings-store.ts';
import { createScanFiles } from '../src/findings/scan-files.ts';
import { LOCAL_TENANT } from '../src/model/caller.ts';
import { verdictOf } from '../src/model/coverage.ts';
import { ParsedFinding, Severity } from '../src/model/finding.ts';
import { newScanId, newTraceId } from '../src/model/ids.ts';
import type { ReportEvent } from '../src/model/report.ts';
import { requestHash, type ScanRequest } from '../src/model/scan.ts';
import { systemClock } from '../src/platform/clock.ts';
import { identityText, ownIdentity } from '../src/platform/process-identity.ts';
import { parseTarget } from '../src/policy/target.ts';
import type { NewScan } from '../src/queue/queue.ts';
import { openSqliteQueue } from '../src/queue/sqlite/queue.ts';

const POOL = 'baseline';
const INSTANCE = { pool: POOL, instance: 'local', limit: 1_000 } as const;
const HEARTBEAT_MS = 5_000;

/** A data folder whose one worker is the bench itself, which claims nothing that it was not told to. */
export interface SeededQueue {
  queuedScan(): Promise<string>;
  finishedScan(findings: number): Promise<string>;
  close(): Promise<void>;
}

export function newScan(n: number): NewScan {
  const request: ScanRequest = {
    access: 'untrusted',
    targets: [`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`],
    pool: POOL,
    intensity: 'standard',
    priority: 5,
    max_duration_minutes: 60,
  };
  const ids = { scanId: newScanId(), traceId: newTraceId(), tenant: LOCAL_TENANT, engine: 'baseline' };
  return { ...ids, request, requestHash: requestHash(request) };
}

/** No worker process is started while a live one sits in the worker's seat of the folder. */
export async function seedQueue(dataFolder: string): Promise<SeededQueue> {
  const settings = { idempotencyHours: 48, queuedExpiryHours: 168, reserveBytes: 0 };
  const { queue, seat } = await openSqliteQueue({ folder: dataFolder, clock: systemClock, settings });
  const workerId = identityText(ownIdentity());
  await seat.take();
  await queue.heartbeat(workerId);
  await queue.putInstanceHealth(POOL, INSTANCE.instance, { status: 'healthy', canLaunch: true });
  const heart = setInterval(() => void queue.heartbeat(workerId), HEARTBEAT_MS);
  const files = createScanFiles(join(dataFolder, 'scans'));
  let made = 0;
  const submit = async (): Promise<string> => {
    made += 1;
    const { scan } = await queue.submit(newScan(made));
    return scan.scanId;
  };
  return {
    queuedScan: submit,
    async finishedScan(findings) {
      const scanId = await submit();
      const claim = await queue.claim(workerId, [INSTANCE]);
      if (claim?.scan.scanId !== scanId) throw new Error('another scan was first in the queue');
      const store = createFindingsStore();
      const { artefact, coverage, ...found } = await store.ingest({
        scanId,
        epoch: claim.epoch,
        engine: 'baseline',
        folder: await files.attemptFolder(scanId, claim.epoch),
        targets: claim.scan.request.targets.map((text) => ({ target: parseTarget(text), addresses: [text] })),
        events: report(findings, claim.scan.request.targets[0] ?? ''),
      });
      await store.close();
      const result = {
        verdict: verdictOf(coverage, true),
        coverage,
        findings: found.findings,
        by_severity: found.bySeverity,
        artefacts: [{ ...artefact, path: `${claim.epoch}/${artefact.path}` }],
      };
      await queue.finish(claim, { kind: 'completed', result });
      return scanId;
    },
    async close() {
      clearInterval(heart);
      await seat.release();
      await queue.close();
    },
  };
}

/** Findings as a network scan has them: few rules on many ports, most of them harmless. */
async function* report(count: number, place: string): AsyncGenerator<ReportEvent> {
  yield { kind: 'place', place: { place, status: 'tested' } };
  for (let n = 0; n < count; n += 1) yield { kind: 'finding', finding: finding(n, place) };
  yield { kind: 'checks', lookedFor: ['everything'], notLookedFor: [] };
  yield { kind: 'end' };
}

function finding(n: number, ip: string): ParsedFinding {
  const rule = n % 997;
  return ParsedFinding.parse({
    rule_id: `bench:${rule}`,
    title: `Weakness ${rule} of the bench`,
    severity: Severity.options[rule % 5 < 3 ? 0 : rule % Severity.options.length],
    severity_source: 'rule',
    description: `What weakness ${rule} means, in a sentence or two, as engines write them.`,
    solution: 'Update the service.',
    discriminator: String(n),
    location: { ip, port: 1 + (n % 65_535), protocol: 'tcp' },
    untrusted: { output: `banner ${n}` },
  });
}
