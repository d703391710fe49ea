import { randomBytes, randomUUID } from 'node:crypto';
import type { Download } from './answer.ts';
import { Refusal, notFound } from './answer.ts';
import { isActive } from './hosts.ts';
import { nessusReport } from './report/document.ts';
import { renamedReport } from './report/renamed-file.ts';
import type { ExportJob, Server } from './server-state.ts';
import type { Scan } from './state.ts';

/** @throws Refusal 404 without such a run, 409 while it runs */
export function startExport(server: Server, scan: Scan, historyId: number | undefined): ExportJob {
  const run = historyId === undefined ? scan.runs.at(-1) : scan.runs.find((one) => one.historyId === historyId);
  if (!run) throw notFound();
  const { exports: script, edition } = server.scenario;
  if (isActive(run) && script.while_running === 'refuse') throw new Refusal(409, 'Can not export running scans');
  const job: ExportJob = {
    scanId: scan.id,
    historyId: run.historyId,
    file: edition === 'tenable_vm' ? randomUUID() : String(server.state.nextId() + 1_000_000_000),
    token: randomBytes(32).toString('hex'),
    createdAt: server.clock.now(),
    pollsLeft: script.loading_polls,
  };
  server.exports.set(job.file, job);
  server.exports.set(job.token, job);
  return job;
}

/** @param key `file` or token. @throws Refusal 404 when there is none or its time is over */
export function exportOf(server: Server, key: string, scanId?: number): ExportJob {
  const job = server.exports.get(key);
  const isOver = job && server.clock.now() - job.createdAt > server.scenario.exports.token_expires_ms;
  if (!job || isOver || (scanId !== undefined && job.scanId !== scanId)) throw notFound();
  return job;
}

/** Each question brings it nearer. */
export function exportStatus(server: Server, job: ExportJob): string {
  if (job.pollsLeft === 0) return server.scenario.exports.ends;
  job.pollsLeft -= 1;
  return 'loading';
}

/** @throws Refusal 404 when the scan is gone by now */
export function exportBody(server: Server, job: ExportJob): Download {
  const scan = server.state.scan(job.scanId);
  const run = scan?.runs.find(({ historyId }) => historyId === job.historyId);
  if (!scan || !run || job.pollsLeft > 0 || server.scenario.exports.ends === 'error') throw notFound();
  const { report } = run.script;
  const uploaded = scan.imported === undefined ? undefined : server.state.contents.get(scan.imported);
  if (uploaded) return { pieces: () => [uploaded.toString('utf8')], length: uploaded.length };
  const { file } = report;
  if (file !== undefined) return { pieces: () => renamedReport(file, run.targets) };
  const { now, version } = { now: server.clock.now(), version: server.scenario.version };
  const secrets = report.echo_secrets ? secretsOf(server, scan) : [];
  const pieces = (): Iterable<string> => nessusReport({ scan, run, now, version, secrets });
  return server.scenario.exports.content_length ? { pieces, length: lengthOf(pieces()) } : { pieces };
}

function lengthOf(pieces: Iterable<string>): number {
  let length = 0;
  for (const piece of pieces) length += Buffer.byteLength(piece);
  return length;
}

/** With the keys it logs in with. */
function secretsOf({ state }: Server, { id, credentials }: Scan): string[] {
  const keys = credentials.flatMap(
    ({ plain }) => state.contents.get(plain['private_key'] ?? '')?.toString('utf8') ?? [],
  );
  return [...(state.secrets.get(id) ?? []), ...keys];
}
