import { Command, Option } from 'commander';
import { Intensity, ScanState } from '../model/scan.ts';
import { TENANT_OPTION, type TenantOption } from './ask-as.ts';
import { addDeadLetters } from './dead-letter-commands.ts';
import type { CompareOptions, SearchOptions } from './commands/across-scans.ts';
import type { ListOptions } from './commands/scans.ts';
import type { ResultsOptions } from './commands/results.ts';
import type { ScanOptions } from './commands/scan.ts';
import type { WorkerCommand } from './commands/worker.ts';
import type { SimulateOptions } from './commands/simulate.ts';
import type { EditOptions } from './commands/policy.ts';
import { JSON_OPTION, type Action, type Add, type Run, type Runner } from './command.ts';
import { listOf, wholeNumber } from './input.ts';
import { withFilters } from './filter-options.ts';
import { addKeys } from './key-commands.ts';
import { addServe } from './serve-command.ts';
import { addReports } from './report-commands.ts';
import type { Globals } from './session.ts';
import { VERSION } from './version.ts';

/** The whole command line, without running it: also what documentation is checked against. */
export function createProgram(runner: Runner = () => Promise.resolve()): Command {
  const program = new Command('scanmux')
    .description('Vulnerability scans for AI agents. Without a command: an MCP server on stdin and stdout.')
    .version(VERSION)
    .option('--config <folder>', 'folder of scanmux.yaml, scanners.yaml and policy.yaml')
    .option('--data <folder>', 'folder of the queue, findings and reports')
    .option('--in-process', 'without a command: run scans inside the server, e.g. in a container')
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)')
    .allowExcessArguments(false);
  const run = (action: Action): Promise<void> => runner(program.opts<Globals>(), action);
  const add: Add = (words, description) => program.command(words).description(description);
  addScan(add, run);
  addResults(add, run);
  addAcrossScans(add, run);
  addScans(add, run);
  addReports(add, run);
  addServe(add, run);
  addOperations(add, run);
  addPolicy(add, run);
  addData(add, run);
  addAudit(add, run);
  addDeadLetters(add, run);
  addKeys(add, run);
  addSimulators(add, run);
  return program;
}

const intensityOption = (): Option =>
  new Option('--intensity <level>', 'how hard it may hit').choices(Intensity.options);

function addScan(add: Add, run: Run): void {
  add('scan <targets...>', 'scan, show how it goes, then what was found and what was not looked at')
    .option('--pool <name>', 'scanner pool')
    .option('--instance <id>', 'one instance of the pool')
    .addOption(intensityOption())
    .option('--ports <list>', 'TCP ports, e.g. 80,443,8000-8100')
    .option('--templates <names>', 'names of checks, by comma', listOf)
    .option('--credential <ref>', 'log in with this entry of credentials.yaml')
    .addOption(new Option('--privilege <level>', 'with --credential').choices(['user', 'elevated']))
    .option('--name <text>', 'label of the scan')
    .option('--priority <1-10>', '1 is served first', wholeNumber)
    .option('--max-duration <minutes>', 'the scan is ended after this long', wholeNumber)
    .option('--idempotency-key <key>', 'the same key never starts a second scan')
    .option('--no-wait', 'only queue it')
    .option(...JSON_OPTION)
    .action(async (targets: string[], options: ScanOptions) =>
      run(async (session) => (await import('./commands/scan.ts')).scan(session, targets, options)),
    );
}

function addResults(add: Add, run: Run): void {
  withFilters(add('results <scan_id>', 'findings of a finished scan'))
    .addOption(
      new Option('--group-by <key>', 'count by').choices(['none', 'host', 'rule', 'cve', 'severity', 'solution']),
    )
    .addOption(new Option('--sort <key>', 'order').choices(['urgency', 'severity', 'host', 'cvss', 'epss', 'count']))
    .addOption(new Option('--detail <level>', 'with --json').choices(['minimal', 'brief', 'summary', 'full']))
    .option('--all', 'every page')
    .option(...JSON_OPTION)
    .action(async (scanId: string, options: ResultsOptions) =>
      run(async (session) => (await import('./commands/results.ts')).results(session, scanId, options)),
    );
  add('finding <finding_id>', 'one finding in full: what it is, where, what to do, the evidence')
    .option(...JSON_OPTION)
    .action(async (findingId: string, options: { json?: boolean }) =>
      run(async (session) => (await import('./commands/finding.ts')).finding(session, findingId, options)),
    );
}

function addAcrossScans(add: Add, run: Run): void {
  withFilters(
    add('compare <head_scan_id> [base_scan_id]', 'what changed since an earlier scan; it is found when not given'),
  )
    .option('--before <time>', 'only an earlier scan that finished before this (ISO 8601)')
    .option('--all', 'every page')
    .option(...JSON_OPTION)
    .action(async (head: string, base: string | undefined, options: CompareOptions) =>
      run(async (session) => (await import('./commands/across-scans.ts')).compare(session, head, base, options)),
    );
  withFilters(add('search', 'findings of all scans, and whether their absence says anything'))
    .option('--target <target>', 'only at this IP, CIDR, host or URL')
    .option('--finished-after <time>', 'only scans that finished later (ISO 8601)')
    .option('--all-scans', 'older scans as well, not only the newest of each place')
    .option('--all', 'every page')
    .option(...JSON_OPTION)
    .action(async (options: SearchOptions) =>
      run(async (session) => (await import('./commands/across-scans.ts')).search(session, options)),
    );
}

function addScans(add: Add, run: Run): void {
  add('status <scan_id>', 'how a scan is doing')
    .option(...TENANT_OPTION)
    .option(...JSON_OPTION)
    .action(async (scanId: string, options: { json?: boolean } & TenantOption) =>
      run(async (session) => (await import('./commands/scans.ts')).status(session, scanId, options)),
    );
  add('cancel <scan_id>', 'end a scan; what it found so far is kept')
    .option('--reason <text>', 'for the audit log')
    .option(...TENANT_OPTION)
    .option(...JSON_OPTION)
    .action(async (scanId: string, options: { reason?: string; json?: boolean } & TenantOption) =>
      run(async (session) => (await import('./commands/scans.ts')).cancel(session, scanId, options)),
    );
  add('list', 'scans, newest first')
    .addOption(new Option('--state <state>', 'only these').choices(ScanState.options))
    .option('--target <target>', 'scans that overlap this IP, CIDR, host or URL')
    .option('--pool <name>', 'only of this pool')
    .option('--limit <count>', 'scans per page', wholeNumber)
    .option('--cursor <cursor>', 'where the page before ended')
    .option(...TENANT_OPTION)
    .option(...JSON_OPTION)
    .action(async (options: ListOptions) =>
      run(async (session) => (await import('./commands/scans.ts')).list(session, options)),
    );
}

function addOperations(add: Add, run: Run): void {
  add(
    'worker',
    'run queued scans until there is nothing left. Servers start it by themselves, except with a queue in Redis: run it there, on any machine; it stays',
  )
    .option('--stay', 'do not end when there is nothing to do')
    .option('--pools <names>', 'only scans of these pools, by comma', listOf)
    .option('--concurrency <n>', 'scans at once; by default worker.max_concurrent_scans', wholeNumber)
    .action(async (options: WorkerCommand) =>
      run(async (session) => (await import('./commands/worker.ts')).worker(session, options)),
    );
  add('doctor', 'check configuration, folders, engines, policy, worker and audit log, with the fix for each')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) =>
      run(async (session) => (await import('./commands/doctor.ts')).doctor(session, options)),
    );
  add('reload', 'make every process read scanners.yaml again').action(async () =>
    run(async (session) => (await import('./commands/configuration.ts')).reload(session)),
  );
  add('init', 'write commented examples to the config folder; nothing is overwritten').action(async () =>
    run(async (session) => (await import('./commands/configuration.ts')).init(session)),
  );
}

/** A command that only groups others: alone it is a mistake, and shows what there is. */
const group = (add: Add, name: string, description: string): Add => {
  const parent = add(name, description);
  return (words, text) => parent.command(words).description(text);
};

function addData(add: Add, run: Run): void {
  const data = group(add, 'data', 'what is known about CVEs: EPSS scores and the KEV catalogue');
  data('update', 'read the files that FIRST and CISA publish; nothing is downloaded')
    .requiredOption(
      '--from <folder>',
      'holds epss_scores-*.csv.gz and known_exploited_vulnerabilities.json, or one of them',
    )
    .option('--allow-older', 'also take a file that is older, or far shorter, than what is in use')
    .action(async (options: { from: string; allowOlder?: boolean }) =>
      run(async (session) => (await import('./commands/enrichment.ts')).updateData(session, options)),
    );
}

function addPolicy(add: Add, run: Run): void {
  const policy = group(add, 'policy', 'what may be scanned');
  policy('show', 'the scope in force').action(async () =>
    run(async (session) => (await import('./commands/policy.ts')).showPolicy(session)),
  );
  for (const list of ['allow', 'deny'] as const) {
    policy(`${list} <target>`, `${list} an address, CIDR, range, host, *.suffix or URL prefix`)
      .option('--note <text>', 'why, kept in the file')
      .option('--expires <YYYY-MM-DD>', 'last day it holds (allow only)')
      .option(
        '--tenant <name>',
        list === 'allow'
          ? "whose scans it allows ('*': everybody's); default: local"
          : "whose scans it denies; default: everybody's",
      )
      .option('--remove', `take it out of the ${list} list`)
      .action(async (target: string, options: EditOptions) =>
        run(async (session) => (await import('./commands/policy.ts')).changePolicy(session, list, target, options)),
      );
  }
  policy('check <target>', 'would a scan of it be allowed? Sends nothing to it')
    .addOption(intensityOption())
    .option('--tenant <name>', 'a scan of this tenant; default: local')
    .option(...JSON_OPTION)
    .action(async (target: string, options: { intensity?: string; tenant?: string; json?: boolean }) =>
      run(async (session) => (await import('./commands/policy.ts')).checkPolicy(session, target, options)),
    );
}

const TAIL = 20;

function addAudit(add: Add, run: Run): void {
  const audit = group(add, 'audit', 'the log of who asked for what');
  audit('verify', 'is every entry as it was written?')
    .option(...JSON_OPTION)
    .action(async (options: { json?: boolean }) =>
      run(async (session) => (await import('./commands/audit.ts')).verifyAudit(session, options)),
    );
  audit('tail', 'the newest entries, oldest first')
    .argument('[n]', 'how many', wholeNumber, TAIL)
    .option(...JSON_OPTION)
    .action(async (count: number, options: { json?: boolean }) =>
      run(async (session) => (await import('./commands/audit.ts')).tailAudit(session, count, options)),
    );
}

/** As a real one. */
const NESSUS_PORT = 8834;

function addSimulators(add: Add, run: Run): void {
  const simulate = group(add, 'simulate', 'servers that behave like scanners, to try scanmux against');
  simulate('nessus', 'the REST API of a Nessus on 127.0.0.1 until Ctrl-C; scans nothing')
    .option('--scenario <file>', 'how it behaves (YAML)')
    .addOption(
      new Option('--edition <name>', 'instead of the one of the scenario').choices([
        'manager',
        'professional',
        'essentials',
        'tenable_vm',
      ]),
    )
    .option('--port <number>', 'port to listen on; 0 takes any', wholeNumber, NESSUS_PORT)
    .option('--http', 'without TLS')
    .option('--ca <file>', 'write the certificate there, for ca_file')
    .option('--journal <file>', 'append every request to it (JSON lines)')
    .option('--state <file>', 'keep scans in it over a restart')
    .option(...JSON_OPTION)
    .action(async (options: SimulateOptions) =>
      run(async (session) => (await import('./commands/simulate.ts')).simulateNessus(session, options)),
    );
}
