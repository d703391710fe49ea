import { Option } from 'commander';
import { ExportFormat } from '../model/contract/export.ts';
import { SUPPRESSION_STATUSES } from '../model/suppression.ts';
import type { ExportOptions } from './commands/export.ts';
import type { ImportOptions } from './commands/import.ts';
import type { SuppressOptions, UnsuppressOptions } from './commands/suppress.ts';
import { JSON_OPTION, type Add, type Run } from './command.ts';
import { withFilters } from './filter-options.ts';

/** Commands about reports made elsewhere, and about how their findings are judged. */
export function addReports(add: Add, run: Run): void {
  add('import <file>', 'make a finished scan of a report that another tool wrote, or of nessus:<instance>/<id>')
    .option('--format <name>', 'kind of report; by default its content tells')
    .option('--name <text>', 'label of the scan')
    .option('--keep-partial', 'keep what is whole of a report that is cut short or damaged')
    .option(...JSON_OPTION)
    .action(async (file: string, options: ImportOptions) =>
      run(async (session) => (await import('./commands/import.ts')).importFile(session, file, options)),
    );
  withFilters(add('export <scan_id>', 'write the findings of a finished scan to a file for people or other tools'))
    .addOption(new Option('--format <name>', 'kind of file').choices(ExportFormat.options).makeOptionMandatory())
    .option('--out <file>', 'write it there instead of into the data folder; - prints it')
    .option('--force', 'write over a file that is there')
    .option(...JSON_OPTION)
    .action(async (scanId: string, options: ExportOptions) =>
      run(async (session) => (await import('./commands/export.ts')).exportScan(session, scanId, options)),
    );
  add('suppress <finding_id>', 'count a finding apart, in later scans too, until that expires')
    .requiredOption('--reason <text>', 'why')
    .addOption(new Option('--status <status>', 'what it is').choices(SUPPRESSION_STATUSES).default('false_positive'))
    .option('--expires <YYYY-MM-DD>', 'last day it holds; by default in 90 days')
    .option('--everywhere', 'every finding of its rule')
    .option(...JSON_OPTION)
    .action(async (findingId: string, options: SuppressOptions) =>
      run(async (session) => (await import('./commands/suppress.ts')).suppress(session, findingId, options)),
    );
  add('unsuppress <what>', 'take that back: a finding id, or what `suppressions` shows (fingerprint, engine/rule)')
    .option('--reason <text>', 'for the audit log')
    .option('--everywhere', 'with a finding id: the judgement about its rule')
    .action(async (what: string, options: UnsuppressOptions) =>
      run(async (session) => (await import('./commands/suppress.ts')).unsuppress(session, what, options)),
    );
  add('suppressions', 'what is suppressed, by whom, until when')
    .option('--all', 'also what has expired')
    .option(...JSON_OPTION)
    .action(async (options: { all?: boolean; json?: boolean }) =>
      run(async (session) => (await import('./commands/suppress.ts')).listSuppressions(session, options)),
    );
}
