import { readFile } from 'node:fs/promises';
import { ExportInput } from '../model/contract/export.ts';
import { AppError } from '../model/errors.ts';
import type { Ask } from './deps.ts';
import type { ExportReport } from './export-report.ts';

/** As much as a client takes in one message without choking. */
const MAX_BYTES = 4 << 20;

export interface ReadReportAnswer {
  readonly text: string;
  readonly mediaType: string;
}

export type ReadReport = (input: { scan_id: string; format: string }, ask: Ask) => Promise<ReadReportAnswer>;

/**
 * The text of an export, for readers without a file system of ours.
 * @throws AppError as `ExportReport`; invalid_request for an unknown format, or when it is larger than 4 MiB
 */
export function createReadReport(exportReport: ExportReport): ReadReport {
  return async ({ scan_id, format }, ask) => {
    const input = ExportInput.safeParse({ scan_id, format });
    if (!input.success) {
      const known = ExportInput.shape.format.options.join(', ');
      throw new AppError(
        'invalid_request',
        `There is no format ${JSON.stringify(format.slice(0, 40))}. There are ${known}.`,
      );
    }
    const { path, bytes, media_type: mediaType } = await exportReport(input.data, ask);
    if (bytes > MAX_BYTES) {
      throw new AppError('invalid_request', `The report has ${bytes} bytes; a resource holds at most ${MAX_BYTES}.`, {
        hint: 'Call export_report for a file, or get_scan_results for pages.',
      });
    }
    return { text: await readFile(path, 'utf8'), mediaType };
  };
}
