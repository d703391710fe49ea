import { resolve } from 'node:path';
import { ImportInput } from '../../model/contract/imports.ts';
import { exitCode, exitOfScan } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { countsText, coverageLines } from '../render/scan-report.ts';
import type { Session } from '../session.ts';

export interface ImportOptions {
  readonly format?: string;
  readonly name?: string;
  readonly keepPartial?: boolean;
  readonly json?: boolean;
}

/** `scanmux import <file>`: any file the person can read; its hosts must be in the scope all the same. */
export const importFile = (session: Session, file: string, options: ImportOptions): Promise<number> =>
  session.withApp(
    async ({ scans }) => {
      const { format, name, keepPartial, json } = options;
      const input = readInput(ImportInput, { path: resolve(file), format, name, keep_partial: keepPartial });
      const made = await scans.importReport(input, session.ask(), { isPerson: true });
      const { terminal } = session;
      if (json === true) terminal.out(JSON.stringify(made, undefined, 2));
      else {
        terminal.out(terminal.paint(`Scan ${made.scan_id}: ${made.format} report`, 'bold'));
        if (made.deduplicated) terminal.out('It was imported before; no new scan was made.');
        if (made.cut_at !== undefined) terminal.out(`Cut short:      ${made.cut_at}`);
        terminal.out(`Findings:       ${made.total} (${countsText(made.by_severity)})`);
        if (made.suppressed > 0) terminal.out(`Suppressed:     ${made.suppressed}`);
        terminal.out(coverageLines(made, terminal).join('\n'));
        terminal.out(`Read them with: scanmux results ${made.scan_id}`);
      }
      return exitCode(exitOfScan(made));
    },
    { spawnWorker: false },
  );
