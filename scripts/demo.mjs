// `npm run demo`: a first scan, the way an agent's client does it: install, build, start a deliberately weak web service
// on loopback, start scanmux as a child over stdio, scan, show what was found and what was not looked at.
// Leaves no process behind. Exit code 0 only when everything went as it should.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { ROOT, ensurePackages, run } from './setup.mjs';

const TIME_LIMIT_MS = 80_000;
const WAIT_SECONDS = 20;

const startedAt = performance.now();
const step = (text) => console.log(`\n> ${text}`);

ensurePackages();
if (run(process.execPath, [join(ROOT, 'scripts', 'build.mjs')]) !== 0) process.exit(1);

// Only now: there were no packages and no dist before.
const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = await import('@modelcontextprotocol/sdk/client/stdio.js');
const built = (path) => import(pathToFileURL(join(ROOT, 'dist', path)).href);
const { startWeakWeb } = await built('simulators/weak-web.js');
const { findingsTable, coverageLines } = await built('cli/render/scan-report.js');
const { progressBar } = await built('cli/render/progress.js');
const { createTerminal } = await built('cli/terminal.js');

// Kept after the end, so that the results can be looked at.
const folder = mkdtempSync(join(tmpdir(), 'scanmux-demo-'));
const configFolder = join(folder, 'config');
const dataFolder = join(folder, 'data');

const terminal = createTerminal(process.stdout, process.stdout, process.env);

/** An answer of a tool; a refusal ends the demo. */
async function call(client, name, args, onprogress) {
  const options = onprogress ? { onprogress, timeout: TIME_LIMIT_MS } : {};
  const { structuredContent, isError, content } = await client.callTool({ name, arguments: args }, undefined, options);
  if (isError || !structuredContent) throw new Error(`${name}: ${content?.[0]?.text ?? 'no answer'}`);
  return structuredContent;
}

async function waitUntilEnded(client, scanId) {
  const before = performance.now();
  let updates = 0;
  const show = ({ progress, message }) => {
    updates += 1;
    const seen = { percent: progress, phase: message ?? '', hosts_done: 0, hosts_total: 0, findings_so_far: 0 };
    const line = progressBar(seen, '', performance.now() - before, terminal.columns).replace(', 0 findings so far', '');
    if (terminal.isLive) terminal.redraw(line);
    else console.log(line);
  };
  while (performance.now() - startedAt < TIME_LIMIT_MS * 2) {
    const status = await call(client, 'wait_for_scan', { scan_id: scanId, wait_seconds: WAIT_SECONDS }, show);
    if (status.wait_timed_out) continue;
    if (terminal.isLive) terminal.redraw('');
    console.log(`${status.summary} (${updates} progress updates)`);
    return status;
  }
  throw new Error('the scan did not end in time');
}

async function scanAndShow(client, url) {
  const { tools } = await client.listTools();
  console.log(`${tools.length} tools: ${tools.map(({ name }) => name).join(', ')}`);

  step(`run_untrusted_scan ${url}`);
  const { scan_id: scanId, summary } = await call(client, 'run_untrusted_scan', { targets: [url], name: 'demo' });
  console.log(summary);

  step('wait_for_scan');
  const status = await waitUntilEnded(client, scanId);

  step('get_scan_results');
  const results = await call(client, 'get_scan_results', { scan_id: scanId, detail: 'minimal', max_tokens: 8000 });
  console.log(`${results.total} findings\n`);
  console.log(findingsTable(results.findings, terminal));
  console.log(`\n${coverageLines(results, terminal).join('\n')}`);
  const folders = `--config ${configFolder} --data ${dataFolder}`;
  console.log(`\nData: ${join(dataFolder, 'scans', scanId)}`);
  console.log(`Look again: node ${join('dist', 'cli', 'main.js')} results ${scanId} ${folders}`);

  if (status.state !== 'completed') throw new Error(`the scan is ${status.state}`);
  if (results.verdict !== 'complete') throw new Error(`the verdict is ${results.verdict}`);
  if (results.total === 0) throw new Error('no findings on a deliberately weak service');
}

/** Process id of the worker that serves the data folder; the queue knows it. */
async function workerPid() {
  const { openApp } = await built('app.js');
  const { silentLog: log } = await built('platform/log.js');
  const app = await openApp({ configFolder, dataFolder, mode: 'stdio', log, env: {}, spawnWorker: false });
  try {
    // boot id | process id | start time; a worker's own words for itself.
    return Number((await app.seat.holder())?.split('|')[1] ?? Number.NaN);
  } finally {
    await app.close();
  }
}

const isRunning = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Ends one process by its id and makes sure that it is gone. */
async function end(pid, what) {
  if (!Number.isInteger(pid) || !isRunning(pid)) return;
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    process.kill(pid, signal);
    for (let waited = 0; waited < 5_000 && isRunning(pid); waited += 50) await delay(50);
    if (!isRunning(pid)) return;
  }
  throw new Error(`${what} (process ${pid}) is still running`);
}

const client = new Client({ name: 'scanmux-demo', version: '1.0.0' });
const web = await startWeakWeb({ host: '127.0.0.1', port: 0 });
const failures = [];
const attempt = async (body) => {
  try {
    await body();
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  }
};
let serverPid;

await attempt(async () => {
  step(`A weak web service listens on ${web.url}; scanmux starts over stdio`);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [join(ROOT, 'dist', 'cli', 'main.js'), '--config', configFolder, '--data', dataFolder],
    // Whoever stops this demo half-way has a worker left for no longer than this.
    env: { PATH: process.env.PATH ?? '', LOG_LEVEL: 'warn', SCANMUX_WORKER_IDLE_EXIT_SECONDS: '10' },
    stderr: 'inherit',
  });
  await client.connect(transport);
  serverPid = transport.pid;
  await scanAndShow(client, web.url);
});
await attempt(() => client.close());
await attempt(() => end(serverPid ?? Number.NaN, 'the server'));
await attempt(async () => end(await workerPid(), 'the worker'));
await attempt(() => web.close());

const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
for (const failure of failures) console.error(`FAILED: ${failure}`);
console.log(
  failures.length === 0 ? `\nThe demo went as it should (${seconds} s).` : `\nThe demo failed (${seconds} s).`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
