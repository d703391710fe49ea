import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AppError } from '../../model/errors.ts';
import type { BySeverity } from '../../model/finding.ts';
import type { FindingsRef, Suppressions } from '../findings.ts';
import type { OpenFiles } from '../open-files.ts';
import type { SelectInput } from '../select.ts';
import { emptySource, fileSource } from './file-source.ts';
import type { RecordHeader } from './file-source.ts';
import { FORMATS, FORMATS_VERSION } from './formats.ts';
import type { WrittenFormat } from './formats.ts';
import { nativeBytes, nativeKind } from './native-copy.ts';
import { EXPORT_LIMITS, pruneExports } from './prune.ts';
import type { ExportSource } from './source.ts';
import { fillWithBytes, fillWithText, writeOnce } from './write-file.ts';
import type { WrittenFile } from './write-file.ts';

/** What an export is made of: plain data, because it crosses between threads. */
export type ExportRequest =
  | {
      readonly kind: 'findings';
      readonly format: WrittenFormat;
      readonly scanId: string;
      /** Absent: the scan ended before there was anything to store. */
      readonly ref?: FindingsRef;
      readonly record: RecordHeader;
      readonly filter: SelectInput;
      readonly suppressions: Suppressions;
    }
  | { readonly kind: 'native'; readonly scanId: string; readonly report: string; readonly sha256: string };

export interface Exported extends WrittenFile {
  readonly mediaType: string;
  /** Absent for `native`. */
  readonly counts?: {
    /** Findings that were asked for. */
    readonly total: number;
    /** Of these, the ones in the file. */
    readonly written: number;
    readonly totalUnfiltered: number;
    readonly suppressed: BySeverity;
  };
}

export interface ExportJobInput {
  readonly request: ExportRequest;
  /** Exports are kept in `<folder>/<scan id>/`. */
  readonly folder: string;
  /** Bytes of the disk that exports leave free. */
  readonly keepFree: number;
  readonly maxAgeMs: number;
}

type FindingsRequest = Extract<ExportRequest, { readonly kind: 'findings' }>;

/** The same for the same question about the same content: a findings file is named by its hash. */
function nameOf(facts: readonly unknown[], scanId: string, extension: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([FORMATS_VERSION, ...facts]))
    .digest('hex');
  return `${scanId}-${hash.slice(0, 16)}.${extension}`;
}

async function exportFindings(
  files: OpenFiles,
  input: ExportJobInput & { request: FindingsRequest },
  signal: AbortSignal,
) {
  const { request, folder, keepFree } = input;
  const { format, scanId, ref, record, suppressions } = request;
  const { write, extension, mediaType, tellsSuppressed, holds } = FORMATS[format];
  const filter = tellsSuppressed ? { ...request.filter, include_suppressed: true } : request.filter;
  const name = nameOf([format, filter, record, suppressions.version, ref && basename(ref.file)], scanId, extension);
  const writeSource = async (source: ExportSource): Promise<Exported> => {
    const target = { folder: join(folder, scanId), name, signal, keepFree };
    const file = await writeOnce(
      target,
      fillWithText((scratch) => write(source, scratch), signal),
    );
    const { total, totalUnfiltered, suppressed } = source.counts;
    return { ...file, mediaType, counts: { total, written: holds(source), totalUnfiltered, suppressed } };
  };
  if (ref === undefined) return writeSource(emptySource(record));
  return files.use(ref.file, (file) => writeSource(fileSource(file, record, { filter, suppressions })));
}

type NativeRequest = Extract<ExportRequest, { readonly kind: 'native' }>;

async function exportNative(input: ExportJobInput & { request: NativeRequest }, signal: AbortSignal) {
  const { request, folder, keepFree } = input;
  const { scanId, report, sha256 } = request;
  const { mediaType, extension, bytes: leastBytes } = await nativeKind(report);
  const name = nameOf(['native', sha256], scanId, extension);
  const target = { folder: join(folder, scanId), name, signal, keepFree, leastBytes };
  const file = await writeOnce(target, fillWithBytes(nativeBytes(report), signal));
  if (file.sha256 !== sha256) {
    await rm(file.path, { force: true });
    throw new AppError('storage_unusable', 'The raw report of this scan was changed after it was stored.', {
      hint: 'The findings are as they were: use another format. Operator: restore the report from a copy.',
    });
  }
  return { ...file, mediaType };
}

/**
 * Writes one export, or finds it written, and removes old ones.
 * @throws AppError storage_full, storage_unusable, invalid_request, scan_aborted when cancelled
 */
export async function runExport(files: OpenFiles, input: ExportJobInput, signal: AbortSignal): Promise<Exported> {
  const { request } = input;
  const exported =
    request.kind === 'native'
      ? await exportNative({ ...input, request }, signal)
      : await exportFindings(files, { ...input, request }, signal);
  const limits = { ...EXPORT_LIMITS, maxAgeMs: input.maxAgeMs };
  await pruneExports(input.folder, { keep: exported.path, limits });
  return exported;
}
