import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ImportAnswer, ImportInput } from '../model/contract/imports.ts';
import { AppError, errorFacts } from '../model/errors.ts';
import { newScanId } from '../model/ids.ts';
import type { Artefact } from '../model/scan.ts';
import { cleanLine } from '../model/untrusted.ts';
import type { Ingested, ReportedHost } from '../findings/findings.ts';
import type { Imported } from '../queue/queue.ts';
import { detectFormat } from '../scanners/detect-format.ts';
import { HEAD_BYTES, REPORT_CHUNK_BYTES, type ReportFormat } from '../scanners/report-format.ts';
import type { RawReport } from '../scanners/scanner.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { importAnswer } from './import-answer.ts';
import { refuseHosts } from './import-policy.ts';
import { importRecord } from './import-record.ts';
import { openSource, tooLarge, type ImportSource } from './import-source.ts';
import { countWithdrawn, type CountFindings } from './tally.ts';
import { createSweepOnce } from './sweep-once.ts';
import { createTurnTaking } from './turn-taking.ts';

type Deps = Pick<
  ScanDeps,
  | 'queue'
  | 'registry'
  | 'policy'
  | 'findings'
  | 'files'
  | 'audit'
  | 'clock'
  | 'formats'
  | 'importFolders'
  | 'maxReportBytes'
  | 'log'
> & { readonly countFindings: CountFindings };

/** `isPerson`: asked for at a command line, where any readable file may be imported. */
export type ImportReport = (
  input: ImportInput,
  ask: Ask,
  options?: { readonly isPerson?: boolean },
) => Promise<ImportAnswer>;

/**
 * Makes a finished scan of a report that was made elsewhere, or nothing at all: whatever goes wrong leaves no file and
 * no record. Equal bytes within the lifetime of an idempotency key give the scan there is. One import at a time: each
 * may be as large as the disk allows.
 *
 * @throws AppError invalid_request, forbidden, option_unsupported, report_unreadable, target_denied, scan_aborted when
 *   the caller gives up, storage_full, storage_unavailable, queue_unavailable
 */
export function createImportReport(deps: Deps): ImportReport {
  const takeTurn = createTurnTaking();
  const sweepOnce = createSweepOnce(deps);
  return async (input, ask, { isPerson = false } = {}) => {
    try {
      const format = namedFormats(deps.formats, input.format);
      const source = await openSource(deps, input, { ask, isPerson });
      try {
        const run = { deps, input, ask, formats: format, source };
        return await takeTurn(async () => {
          await sweepOnce();
          return importFrom(run);
        }, ask.signal);
      } finally {
        await source.close();
      }
    } catch (error) {
      const shown = ask.signal.aborted ? gaveUp(error) : error;
      const { code } = errorFacts(shown);
      await deps.audit({ caller: ask.caller, action: 'import', decision: code, traceId: ask.traceId, ...named(input) });
      throw shown;
    }
  };
}

const gaveUp = (cause: unknown): AppError =>
  new AppError('scan_aborted', 'The caller gave up while the report was read; nothing was imported.', {
    cause,
    hint: 'Call again; a large report takes a while.',
  });

/** What the audit log says of a call that was refused. */
const named = ({ path, source, format }: ImportInput) => ({
  detail: { format, ...(path === undefined ? (source === undefined ? { content: true } : { source }) : { path }) },
});

/** The formats of a name: two may share one (JSON and XML of one tool). All of them for `auto`. */
function namedFormats(formats: readonly ReportFormat[], name: string): readonly ReportFormat[] {
  const wanted = name.toLowerCase();
  const found = wanted === 'auto' ? formats : formats.filter((format) => format.name === wanted);
  if (found.length > 0) return found;
  const known = [...new Set(formats.map((format) => format.name))].join(', ');
  throw new AppError('invalid_request', `format: there is no such format. Formats: auto, ${known}.`);
}

interface Run {
  readonly deps: Deps;
  readonly input: ImportInput;
  readonly ask: Ask;
  readonly formats: readonly ReportFormat[];
  readonly source: ImportSource;
}

async function importFrom(run: Run): Promise<ImportAnswer> {
  const { deps, source } = run;
  const scanId = newScanId();
  // The findings file is about as large as the report.
  const claim = await deps.files.claim(scanId, 2 * source.bytes);
  const made = await makeScan(run, scanId).catch(async (error: unknown) => {
    await claim.discard();
    throw error;
  });
  // From here on there is a record that refers to the files.
  if (made.deduplicated) await claim.discard();
  else await claim.release();
  return answerFor(run, made);
}

/** The scan of a report, and how it was read. */
interface Made extends Imported {
  readonly format: ReportFormat;
  readonly cutAt?: AppError;
}

/** Recording is the last thing it does: when it fails, nothing refers to its files. */
async function makeScan(run: Run, scanId: string): Promise<Made> {
  const { deps, input, ask } = run;
  const { raw, copied } = await copy(run, scanId);
  const path = deps.files.pathOf(scanId, raw);
  const format = await formatOf(run, path);
  const names = { whole: reportHash(raw, format, 'whole'), cut: reportHash(raw, format, 'cut') };
  const known =
    (await deps.queue.recentImport(ask.caller.tenant, names.whole)) ??
    (input.keep_partial ? await deps.queue.recentImport(ask.caller.tenant, names.cut) : undefined);
  if (known) return { scan: known, deduplicated: true, format };
  const ingested = asCopied(await ingest(run, { scanId, path, format }), copied);
  const { readError } = ingested;
  const unread = refusalOf(ingested, input);
  if (unread) throw unread;
  const findingsPath = deps.files.pathOf(scanId, ingested.artefact);
  const hosts = withSpoken(await hostsOf(run, format, findingsPath), ingested);
  const refusal = await refuseHosts(deps.policy, hosts, ask.caller);
  if (refusal) throw refusal;
  ask.signal.throwIfAborted();
  const scan = importRecord({
    scanId,
    ask,
    ingested,
    hosts,
    looked: await deps.findings.looked(findingsPath),
    raw,
    name: input.name ?? ingested.source.title ?? run.source.name,
    requestHash: readError ? names.cut : names.whole,
    now: deps.clock.now(),
  });
  await deps.files.share(scanId, scan.result.artefacts, ask.signal);
  const facts = { caller: ask.caller, traceId: ask.traceId, scanId, targets: scan.request.targets };
  const detail = { ...named(input).detail, format: format.name, sha256: raw.sha256, findings: ingested.findings };
  await deps.audit({ ...facts, action: 'import', decision: 'allowed', detail });
  return { ...(await deps.queue.recordImport(scan)), format, ...(readError ? { cutAt: readError } : {}) };
}

/** Copies the report into the folder of its scan: what is parsed is what was hashed, whoever writes to the source. */
async function copy({ deps, source, ask }: Run, scanId: string): Promise<{ raw: Artefact; copied: RawReport }> {
  const sink = await deps.files.openReport(scanId, 1, deps.maxReportBytes);
  const copied = await source.copyTo(sink.writable, ask.signal).then(
    (report) => ({ report }),
    (error: unknown) => ({ error }),
  );
  const { artefact, cutOff } = await sink.close();
  if (cutOff) throw tooLarge(deps);
  if ('error' in copied) throw copied.error;
  return { raw: artefact, copied: copied.report };
}

/** A scanner may give a report that is whole as a file, of a scan that is not. */
function asCopied(ingested: Ingested, { whole, reason }: RawReport): Ingested {
  if (whole) return ingested;
  const why = cleanLine(reason ?? 'the scan was not whole when it was fetched', 300);
  const { coverage } = ingested;
  return { ...ingested, ended: false, coverage: { ...coverage, not_looked_for: [...coverage.not_looked_for, why] } };
}

async function formatOf({ formats, input }: Run, path: string): Promise<ReportFormat> {
  const handle = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    if (input.format.toLowerCase() === 'auto') return detectFormat(head, formats);
    // Whoever names a format gets it: its parser says what is wrong.
    return formats.find((format) => format.detect(head)) ?? formats[0] ?? detectFormat(head, formats);
  } finally {
    await handle.close();
  }
}

/** Names a report by its bytes and by how they were read. */
const reportHash = ({ sha256 }: Artefact, { name, engine }: ReportFormat, how: 'whole' | 'cut'): string =>
  createHash('sha256')
    .update(JSON.stringify(['import', sha256, name, engine, how]))
    .digest('hex');

async function ingest(
  { deps, ask }: Run,
  { scanId, path, format }: { scanId: string; path: string; format: ReportFormat },
): Promise<Ingested> {
  const report = createReadStream(path, { signal: ask.signal, highWaterMark: REPORT_CHUNK_BYTES });
  // An abort may come when nobody reads.
  report.on('error', () => undefined);
  try {
    const ingested = await deps.findings.ingest({
      scanId,
      epoch: 1,
      engine: format.engine,
      folder: await deps.files.attemptFolder(scanId, 1),
      targets: 'as_reported',
      events: format.parse(report),
    });
    ask.signal.throwIfAborted();
    return { ...ingested, artefact: { ...ingested.artefact, path: `1/${ingested.artefact.path}` } };
  } finally {
    report.destroy();
  }
}

async function hostsOf({ deps }: Run, format: ReportFormat, path: string): Promise<readonly ReportedHost[]> {
  const hosts = await deps.findings.hosts(path);
  return format.places === 'artefacts' ? hosts.filter(({ maybeArtefact }) => maybeArtefact !== true) : hosts;
}

/** Each once; only what a finding shows besides its own host is new here. */
function withSpoken(hosts: readonly ReportedHost[], { spokenHosts = [] }: Ingested): readonly ReportedHost[] {
  return [...new Map([...hosts, ...spokenHosts].map((host) => [`${host.name} ${host.address}`, host])).values()];
}

/** Of a report that could not be read to its end. */
function refusalOf(ingested: Ingested, { keep_partial: keepPartial }: ImportInput): AppError | undefined {
  const { readError, findings } = ingested;
  if (readError === undefined) return undefined;
  if (isEmpty(ingested)) return nothingWhole(readError);
  return keepPartial ? undefined : cutShort(readError, findings);
}

/** A scan of it would only say that nothing is known: also a file of another kind gives that. */
const isEmpty = ({ findings, coverage }: Ingested): boolean => findings === 0 && coverage.requested === 0;

const nothingWhole = ({ message }: AppError): AppError =>
  new AppError('report_unreadable', message, {
    hint: 'Nothing was imported: no finding and no host of it can be read. Export the report again, or name its format.',
  });

const cutShort = ({ message }: AppError, findings: number): AppError =>
  new AppError('report_unreadable', message, {
    hint: `Nothing was imported. Export the report again; or call again with keep_partial: true to keep the ${findings} ${findings === 1 ? 'finding' : 'findings'} that could be read.`,
  });

async function answerFor({ deps, ask }: Run, made: Made): Promise<ImportAnswer> {
  const { scan, deduplicated, format, cutAt } = made;
  if (deduplicated) {
    const facts = { caller: ask.caller, traceId: ask.traceId, scanId: scan.scanId };
    await deps.audit({ ...facts, action: 'import', decision: 'deduplicated' });
  }
  const tally = await deps.countFindings(scan);
  const withdrawn = await countWithdrawn(deps, scan);
  return importAnswer(scan, { deduplicated, tally, withdrawn, format: format.name, cutAt: cutAt?.message });
}
