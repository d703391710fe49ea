import { Readable } from 'node:stream';
import type { ImportInput } from '../model/contract/imports.ts';
import { AppError } from '../model/errors.ts';
import { openContained, openRegularFile, type OpenedFile } from '../platform/contained-file.ts';
import { REPORT_CHUNK_BYTES } from '../scanners/report-format.ts';
import type { ScanDeps } from './deps.ts';

/** The bytes of a report that is to be imported. */
export interface ImportSource {
  readonly bytes: number;
  /** Of the file, when it is one. */
  readonly name?: string;
  read(signal: AbortSignal): Readable;
  close(): Promise<void>;
}

type Deps = Pick<ScanDeps, 'importFolders' | 'maxReportBytes'>;

/**
 * Opens what the arguments name.
 * @param isPerson Somebody at a command line may import any file they can read.
 * @throws AppError invalid_request, forbidden, option_unsupported
 */
export async function openSource(deps: Deps, input: ImportInput, isPerson: boolean): Promise<ImportSource> {
  const given = [input.path, input.content, input.source].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw new AppError('invalid_request', 'Give exactly one of path, content and source.');
  }
  if (input.source !== undefined) throw noRemoteScans();
  if (input.content !== undefined) return textSource(input.content);
  const opened = await openFile(deps, input.path ?? '', isPerson);
  if (opened.bytes <= deps.maxReportBytes) return fileSource(opened);
  await opened.handle.close();
  throw tooLarge(deps);
}

const noRemoteScans = (): AppError =>
  new AppError('option_unsupported', 'source: no configured engine has remote scans to import.', {
    hint: 'Export the scan there as a report, then give its path or content.',
  });

export const tooLarge = ({ maxReportBytes }: Pick<Deps, 'maxReportBytes'>): AppError =>
  new AppError('invalid_request', `The report is larger than ${maxReportBytes / 2 ** 20} MB (max_raw_report_mb).`, {
    hint: 'Export it in parts, or operator: raise max_raw_report_mb in scanmux.yaml.',
  });

async function openFile({ importFolders }: Deps, path: string, isPerson: boolean): Promise<OpenedFile> {
  if (isPerson) return openRegularFile(path);
  if (importFolders.length > 0) return openContained(path, importFolders);
  throw new AppError('forbidden', 'path: no folder is open for imports.', {
    hint: 'Give the report as content; or operator: set import_folders: [/path/to/reports] in scanmux.yaml and restart, or run `scanmux import <file>`. Do not retry.',
  });
}

function textSource(content: string): ImportSource {
  const text = Buffer.from(content, 'utf8');
  return { bytes: text.length, read: () => Readable.from([text]), close: () => Promise.resolve() };
}

const fileSource = ({ handle, bytes, name }: OpenedFile): ImportSource => ({
  bytes,
  name,
  read: (signal) => handle.createReadStream({ autoClose: false, start: 0, signal, highWaterMark: REPORT_CHUNK_BYTES }),
  close: () => handle.close(),
});
