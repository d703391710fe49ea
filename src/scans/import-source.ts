import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ImportInput } from '../model/contract/imports.ts';
import { isFor, LOCAL_TENANT } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';
import { openContained, openRegularFile, type OpenedFile } from '../platform/contained-file.ts';
import { REPORT_CHUNK_BYTES } from '../scanners/report-format.ts';
import type { RawReport } from '../scanners/scanner.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findRemote, type RemoteSource } from './remote-scans.ts';

/** The bytes of a report that is to be imported. */
export interface ImportSource {
  /** 0 when nobody knows yet. */
  readonly bytes: number;
  /** Of the file, when it is one. */
  readonly name?: string;
  /** Writes all of it and ends `report`. @throws what went wrong; `report` is then destroyed or ended */
  copyTo(report: Writable, signal: AbortSignal): Promise<RawReport>;
  close(): Promise<void>;
}

type Deps = Pick<ScanDeps, 'importFolders' | 'maxReportBytes' | 'registry'>;

/**
 * Opens what the arguments name.
 * @param isPerson Somebody at a command line may import any file they can read.
 * @throws AppError invalid_request, forbidden, option_unsupported, instance_unknown
 */
export async function openSource(
  deps: Deps,
  input: ImportInput,
  { ask, isPerson }: { ask: Ask; isPerson: boolean },
): Promise<ImportSource> {
  const given = [input.path, input.content, input.source].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new AppError('invalid_request', 'Give exactly one of path, content and source.');
  }
  if (input.source !== undefined) return remoteSource(findRemote(deps.registry, input.source, ask));
  if (input.content !== undefined) return textSource(input.content);
  const opened = isPerson
    ? await openRegularFile(input.path ?? '')
    : await openFile(deps, input.path ?? '', ask.caller);
  if (opened.bytes <= deps.maxReportBytes) return fileSource(opened);
  await opened.handle.close();
  throw tooLarge(deps);
}

export const tooLarge = ({ maxReportBytes }: Pick<ScanDeps, 'maxReportBytes'>): AppError =>
  new AppError('invalid_request', `The report is larger than ${maxReportBytes / 2 ** 20} MB (max_raw_report_mb).`, {
    hint: 'Export it in parts, or operator: raise max_raw_report_mb in scanmux.yaml.',
  });

async function openFile({ importFolders }: Deps, path: string, { tenant }: Ask['caller']): Promise<OpenedFile> {
  const open = importFolders.filter(({ tenants }) => isFor(tenants, tenant)).map((folder) => folder.path);
  if (open.length > 0) return openContained(path, open);
  throw new AppError('forbidden', 'path: no folder is open for imports.', {
    hint: `Give the report as content; or operator: ${operatorFix(tenant)}. Do not retry.`,
  });
}

/** A path alone opens a folder for `local` only, and so does the command line import. */
const operatorFix = (tenant: string): string =>
  tenant === LOCAL_TENANT
    ? 'set import_folders: [/path/to/reports] in scanmux.yaml and restart, or run `scanmux import <file>`'
    : `set import_folders: [{ path: /path/to/reports, tenants: [${JSON.stringify(tenant)}] }] in scanmux.yaml and restart`;

function textSource(content: string): ImportSource {
  const text = Buffer.from(content, 'utf8');
  return { bytes: text.length, copyTo: copying(() => Readable.from([text])), close: () => Promise.resolve() };
}

const remoteSource = ({ remote, remoteId }: RemoteSource): ImportSource => ({
  bytes: 0,
  async copyTo(report, signal) {
    const over = new AbortController();
    // An engine that waits until a destroyed report drains would wait for ever.
    report.once('error', (error) => over.abort(error));
    try {
      return await remote.fetch(remoteId, report, AbortSignal.any([signal, over.signal]));
    } catch (error) {
      throw withRemoteHint(error);
    }
  },
  close: () => Promise.resolve(),
});

const REMOTE_HINTS: ReadonlyMap<string, string> = new Map([
  ['scan_not_found', 'list_scanners with remote_scans: true shows the sources there are.'],
  ['scan_not_finished', 'Import it once it has ended at the scanner; list_scanners shows its status.'],
]);

/** The hints of these codes speak of scans that scanmux has. */
function withRemoteHint(error: unknown): unknown {
  const hint = error instanceof AppError ? REMOTE_HINTS.get(error.code) : undefined;
  if (!(error instanceof AppError) || hint === undefined) return error;
  return new AppError(error.code, error.message, { hint, cause: error });
}

/** What lies here lies here whole. */
const copying =
  (read: (signal: AbortSignal) => Readable): ImportSource['copyTo'] =>
  async (report, signal) => {
    await pipeline(read(signal), report);
    return { whole: true };
  };

const fileSource = ({ handle, bytes, name }: OpenedFile): ImportSource => ({
  bytes,
  name,
  copyTo: copying((signal) =>
    handle.createReadStream({ autoClose: false, start: 0, signal, highWaterMark: REPORT_CHUNK_BYTES }),
  ),
  close: () => handle.close(),
});
