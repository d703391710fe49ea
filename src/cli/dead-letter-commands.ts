import { TENANT_OPTION, type TenantOption } from './ask-as.ts';
import { JSON_OPTION, type Add, type Run } from './command.ts';
import { wholeNumber } from './input.ts';

const PURGE_DAYS = 30;

/** `scanmux dlq`. */
export function addDeadLetters(add: Add, run: Run): void {
  const parent = add('dlq', 'scans that failed or ran out of time for good (dead letters)');
  const dlq: Add = (words, text) => parent.command(words).description(text);
  dlq('list', 'all of them')
    .option(...TENANT_OPTION)
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean } & TenantOption) =>
      run(async (session) => (await import('./commands/dead-letters.ts')).listDeadLetters(session, options)),
    );
  dlq('show <scan_id>', 'one of them, with its error')
    .option(...TENANT_OPTION)
    .option(...JSON_OPTION)
    .action(async (scanId: string, options: { json?: boolean } & TenantOption) =>
      run(async (session) => (await import('./commands/dead-letters.ts')).showDeadLetter(session, scanId, options)),
    );
  dlq('retry <scan_id>', 'queue it again')
    .option(...TENANT_OPTION)
    .action(async (scanId: string, options: TenantOption) =>
      run(async (session) => (await import('./commands/dead-letters.ts')).retryDeadLetter(session, scanId, options)),
    );
  dlq('purge', 'remove old ones with their files')
    .option('--older-than <days>', 'only those that ended longer ago', wholeNumber, PURGE_DAYS)
    .option(...TENANT_OPTION)
    .action(async (options: { olderThan: number } & TenantOption) =>
      run(async (session) => (await import('./commands/dead-letters.ts')).purgeDeadLetters(session, options)),
    );
}
