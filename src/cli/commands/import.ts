import { existsSync } from 'node:fs';
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

/** What may be a scan at a scanner, `nessus:<instance>/<id>`; the use case says what is wrong with one. */
const REMOTE = /^[a-z0-9][a-z0-9_-]+:[^/\\]+\/[^/\\]+$/;

/**
 * `scanmux import <file>`: any file the person can read, or a scan at a scanner in a folder that was opened; the hosts must
 * be in the scope all the same.
 */
export const importFile = (session: Session, file: string, options: ImportOptions): Promise<number> =>
  session.withApp(
    async ({ scans }) => {
      const { format, name, keepPartial, json } = options;
      const from = REMOTE.test(file) && !existsSync(file) ? { source: file } : { path: resolve(file) };
      const input = readInput(ImportInput, { ...from, format, name, keep_partial: keepPartial });
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
