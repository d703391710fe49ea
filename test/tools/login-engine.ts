import { z } from 'zod';
import { AppError } from '../../src/model/errors.ts';
import { ParsedFinding } from '../../src/model/finding.ts';
import type { RemoteReports, RemoteScan, RunContext, ScannerType } from '../../src/scanners/scanner.ts';

/** `leaks`: its runs fail, and their error says all that the engine was told. */
const Settings = z.strictObject({ label: z.enum(['', 'leaks']).default('') });

export interface LoginEngine {
  readonly type: ScannerType<z.infer<typeof Settings>>;
  /** Credentials of the runs so far. */
  readonly given: RunContext['credential'][];
  /** For each report that was read: whether its scan was to log in, as far as the engine was told. */
  readonly told: (boolean | undefined)[];
}

/** An engine that logs in, and remembers as whom; `remote` are scans that an operator launched there. */
export function loginEngine(remote?: RemoteReports, options: readonly 'privilege'[] = ['privilege']): LoginEngine {
  const given: RunContext['credential'][] = [];
  const told: (boolean | undefined)[] = [];
  const type: LoginEngine['type'] = {
    capabilities: {
      engine: 'nessus',
      targetKinds: ['host', 'network'],
      authenticated: true,
      adoptable: true,
      intensities: ['light', 'standard', 'intrusive'],
      options,
      looksFor: ['missing patches'],
    },
    settings: Settings,
    create: (settings) => ({
      probe: async () => ({ status: 'healthy', canLaunch: true }),
      async run(job, ctx) {
        given.push(ctx.credential);
        for (const { addresses } of job.targets) {
          for (const address of addresses) ctx.report.write(`${address} said ${JSON.stringify(ctx.credential)}\n`);
        }
        ctx.report.end();
        ctx.progress({ percent: 50, phase: `as ${JSON.stringify(ctx.credential)}`, estimated: true });
        if (settings.label !== 'leaks') return { whole: true };
        const cause = new Error(JSON.stringify(ctx.credential));
        throw new AppError('scanner_login_failed', `refused: ${JSON.stringify(ctx.credential)}`, { cause });
      },
      async *parse(report, asked) {
        told.push(asked?.login);
        let text = '';
        for await (const chunk of report) text += String(chunk);
        for (const line of text.split('\n').filter(Boolean)) {
          const [place = '', , said = ''] = line.split(/ (said) /);
          yield { kind: 'place', place: { place, status: 'tested', login: 'success' } };
          const finding = ParsedFinding.parse({
            rule_id: 'login',
            title: 'Logged in',
            severity: 'info',
            severity_source: 'rule',
            location: { ip: place },
            untrusted: { output: said },
          });
          yield { kind: 'finding', finding };
        }
        yield { kind: 'end' };
      },
      ...(remote ? { remote: (tenant) => (tenant === 'local' ? remote : undefined) } : {}),
    }),
  };
  return { type, given, told };
}

/** Scans at a scanner, with the text of their reports. */
export function remoteReports(scans: readonly (RemoteScan & { readonly report?: string; readonly whole?: boolean })[]) {
  const fetched: string[] = [];
  const remote: RemoteReports = {
    list: async () => ({ scans }),
    async fetch(remoteId, report) {
      fetched.push(remoteId);
      const found = scans.find((scan) => scan.remoteId === remoteId);
      if (!found) throw new AppError('scan_not_found', `There is no scan ${remoteId} in the opened folders.`);
      if (found.report === undefined) throw new AppError('scan_not_finished', 'It has no report yet.');
      report.end(found.report);
      return found.whole === false ? { whole: false, reason: 'aborted at the scanner' } : { whole: true };
    },
  };
  return { remote, fetched };
}
