import type { CreateKeyOptions } from './commands/keys.ts';
import { JSON_OPTION, type Add, type Run } from './command.ts';
import { listOf } from './input.ts';

/** Commands about who may ask over HTTP. */
export function addKeys(add: Add, run: Run): void {
  const keys = add('keys', 'API keys: who may ask over HTTP');
  keys
    .command('create')
    .description('make a key; it is shown once')
    .requiredOption('--name <text>', 'who or what uses it')
    .option('--tenant <name>', 'whose scans it sees (default: local, this machine)')
    .option(
      '--scopes <list>',
      'by comma, of scan:read, scan:run, scan:intrusive, finding:suppress, credential:use, admin (default: scan:read,scan:run)',
      listOf,
    )
    .option('--expires <when>', 'after so long (90d, 12h) or at the end of a day (2027-01-31); default: never')
    .option(...JSON_OPTION)
    .action(async (options: CreateKeyOptions) =>
      run(async (session) => (await import('./commands/keys.ts')).createKey(session, options)),
    );
  keys
    .command('list')
    .description('all keys, newest first; never their secrets')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) =>
      run(async (session) => (await import('./commands/keys.ts')).listKeys(session, options)),
    );
  keys
    .command('revoke <prefix>')
    .description('end a key; every server refuses it within seconds')
    .action(async (prefix: string) =>
      run(async (session) => (await import('./commands/keys.ts')).revokeKey(session, prefix)),
    );
}
