import { readFile } from 'node:fs/promises';
import { ExportInput, MAX_REPORT_RESOURCE } from '../model/contract/export.ts';
import { AppError } from '../model/errors.ts';
import type { Ask } from './deps.ts';
import type { ExportReport } from './export-report.ts';

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
    if (bytes > MAX_REPORT_RESOURCE) {
      const most = `a resource holds at most ${MAX_REPORT_RESOURCE}.`;
      throw new AppError('invalid_request', `The report has ${bytes} bytes; ${most}`, {
        hint: 'Call export_report for a file, or get_scan_results for pages.',
      });
    }
    return { text: await readFile(path, 'utf8'), mediaType };
  };
}
