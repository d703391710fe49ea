import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startWeakWeb, type WeakWeb } from '../../src/simulators/weak-web.ts';
import { createPlace, runCommand, startCommand, untilEnded, type Place } from './command-process.ts';

const Scans = z.object({ scans: z.array(z.object({ scan_id: z.string() })) });

describe('a scan on the command line', () => {
  let place: Place;
  let web: WeakWeb;
  let scanId: string;
  beforeAll(async () => {
    place = createPlace();
    web = await startWeakWeb({ host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await web.close();
    await place.clean();
  });

  it('shows findings, what was not looked at, the verdict and where the files are', async () => {
    const { code, stdout, stderr } = await runCommand(place, ['scan', web.url, '--name', 'first']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Scan scan_\w{20} is queued\.\n/) });
    expect(stdout).toMatch(/^critical\s+\S.*\.env/m);
    expect(stdout).toMatch(/^Verdict: +complete/m);
    expect(stdout).toMatch(/^Not looked for:\n {2}- \S/m);
    expect(stdout).toContain(join(place.data, 'scans', 'scan_'));
  });

  it('is listed, and its status is shown', async () => {
    const listed = await runCommand(place, ['list', '--json']);
    scanId = Scans.parse(JSON.parse(listed.stdout)).scans[0]?.scan_id ?? '';
    expect((await runCommand(place, ['list'])).stdout).toContain(scanId);
    const { code, stdout } = await runCommand(place, ['status', scanId]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Name: +first$/m);
  });

  it('gives results by filter, as groups and as JSON', async () => {
    const high = await runCommand(place, ['results', scanId, '--min-severity', 'high']);
    expect(high.code).toBe(0);
    expect(high.stdout).toMatch(/^critical /m);
    expect(high.stdout).not.toMatch(/^low /m);
    expect((await runCommand(place, ['results', scanId, '--group-by', 'severity'])).stdout).toMatch(/^GROUP +COUNT/m);
    const json: unknown = JSON.parse((await runCommand(place, ['results', scanId, '--json', '--all'])).stdout);
    expect(json).toMatchObject({ scan_id: scanId, verdict: 'complete' });
  });

  it('leads to each finding in full, which is one command away', async () => {
    const shown = await runCommand(place, ['results', scanId]);
    const [, id = ''] = /^Read one with: +scanmux finding (\S+)$/m.exec(shown.stdout) ?? [];
    expect(shown.stdout).toMatch(new RegExp(`^critical .* ${id.replace('.', '\\.')}$`, 'm'));
    const { code, stdout } = await runCommand(place, ['finding', id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Severity: +critical \(from: /m);
    expect(stdout).toMatch(/^Evidence, written by the scanned system/m);
    const json: unknown = JSON.parse((await runCommand(place, ['finding', id, '--json'])).stdout);
    expect(json).toMatchObject({ finding_id: id, scan_id: scanId });
  });

  it('cannot be cancelled any more, and says so', async () => {
    const { code, stdout } = await runCommand(place, ['cancel', scanId]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `Scan ${scanId} had already ended; nothing was changed.\n` });
  });

  it('is in the audit log, which verifies', async () => {
    expect((await runCommand(place, ['audit', 'tail', '50'])).stdout).toMatch(
      new RegExp(`cli {2}submit {2}allowed {2}${scanId}`),
    );
    const { code, stdout } = await runCommand(place, ['audit', 'verify']);
    expect(code).toBe(0);
    expect(stdout).toContain('unbroken');
  });

  it('started with one key twice is one scan', async () => {
    const argv = ['scan', web.url, '--no-wait', '--json', '--idempotency-key', 'nightly-2026'];
    const first: unknown = JSON.parse((await runCommand(place, argv)).stdout);
    const second: unknown = JSON.parse((await runCommand(place, argv)).stdout);
    const id = z.object({ scan_id: z.string() });
    expect(id.parse(second).scan_id).toBe(id.parse(first).scan_id);
    const other = await runCommand(place, [...argv, '--intensity', 'light']);
    expect({ code: other.code, stderr: other.stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^idempotency_conflict: /),
    });
  });

  it('is no dead letter, and there are none to purge', async () => {
    expect((await runCommand(place, ['dlq', 'list'])).stdout).toBe('No dead letters.\n');
    expect((await runCommand(place, ['dlq', 'purge'])).stdout).toBe('0 dead letters removed.\n');
    const shown = await runCommand(place, ['dlq', 'show', scanId]);
    expect(shown.code).toBe(4);
    expect((await runCommand(place, ['dlq', 'retry', scanId])).code).toBe(2);
  });
});

describe('a scan that nobody could run to its end', () => {
  it('ends with exit code 6 when its target does not answer, and never looks clean', async () => {
    const place = createPlace();
    const web = await startWeakWeb({ host: '127.0.0.1', port: 0 });
    await web.close();
    const { code, stdout } = await runCommand(place, ['scan', web.url]);
    expect(code).toBe(6);
    expect(stdout).toMatch(/^Verdict: +(PARTIAL|NOT TESTED)/m);
    await place.clean();
  });

  it('goes on after Ctrl-C, which tells how to come back', async () => {
    const place = createPlace();
    // Accepts and never answers, so that the scan lasts.
    const silent = createServer((socket) => socket.on('error', () => undefined));
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, '127.0.0.1', () => {
        const address = silent.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
    const child = startCommand(place, ['scan', `http://127.0.0.1:${port}`]);
    child.stderr?.once('data', () => child.kill('SIGINT'));
    const { code, stderr, stdout } = await untilEnded(child);
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    const [, id = ''] = /scanmux cancel (scan_\w+)/.exec(stderr) ?? [];
    const status = await runCommand(place, ['status', id, '--json']);
    expect(status.stdout).toMatch(/"state": "(queued|running)"/);
    expect((await runCommand(place, ['cancel', id])).stdout).toMatch(/was told to stop|will not start/);
    await place.clean();
    silent.close();
  });
});

describe('commands of the operator', () => {
  let place: Place;
  beforeAll(() => {
    place = createPlace();
  });
  afterAll(() => place.clean());

  it('init writes commented examples once and then leaves them alone', async () => {
    expect((await runCommand(place, ['init'])).stdout).toMatch(/^Written to .*: .*scanmux\.yaml/m);
    expect(existsSync(join(place.config, 'scanners.yaml'))).toBe(true);
    expect((await runCommand(place, ['init'])).stdout).toMatch(/^Left as they were: /m);
  });

  it('policy allow opens the scope for what it names, and deny closes it again', async () => {
    expect((await runCommand(place, ['policy', 'check', '10.1.2.3'])).code).toBe(3);
    const allowed = await runCommand(place, ['policy', 'allow', '10.1.0.0/16', '--note', 'lab']);
    expect(allowed.code).toBe(0);
    const check = await runCommand(place, ['policy', 'check', '10.1.2.3']);
    expect({ code: check.code, stdout: check.stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^10\.1\.2\.3: allowed/),
    });
    expect((await runCommand(place, ['policy', 'deny', '10.1.2.0/24'])).code).toBe(0);
    expect((await runCommand(place, ['policy', 'check', '10.1.2.3'])).code).toBe(3);
    expect((await runCommand(place, ['policy', 'show'])).stdout).toContain('10.1.0.0/16');
    expect(readFileSync(join(place.config, 'policy.yaml'), 'utf8')).toContain('lab');
    expect((await runCommand(place, ['audit', 'tail'])).stdout).toContain('policy_change');
  });

  it('policy check gives each reason once', async () => {
    await runCommand(place, ['policy', 'allow', '10.7.0.1']);
    for (const argv of [['10.7.0.1', '--intensity', 'intrusive'], ['10.7.0.0/16']]) {
      const { code, stdout } = await runCommand(place, ['policy', 'check', ...argv]);
      expect(code).toBe(3);
      const sentences = stdout.split(/(?<=\.)\s+/);
      expect(new Set(sentences).size).toBe(sentences.length);
    }
  });

  it('policy deny says that it wins over what is allowed, and allow what a wide entry opens', async () => {
    const denied = await runCommand(place, ['policy', 'deny', '10.7.0.1']);
    expect(denied.stderr).toMatch(/^Deny wins: 10\.7\.0\.1 is allowed, and what 10\.7\.0\.1 covers of it is closed/m);
    const wide = await runCommand(place, ['policy', 'allow', '0.0.0.0/0']);
    expect(wide.code).toBe(0);
    expect(wide.stderr).toMatch(/^Warning: 0\.0\.0\.0\/0 opens every IPv4 address .*at most 256.*stay closed/m);
    expect((await runCommand(place, ['policy', 'allow', '0.0.0.0/0', '--remove'])).stderr).not.toContain('Warning');
  });

  it('doctor is content, and warns when others may write the policy', async () => {
    const good = await runCommand(place, ['doctor']);
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(/^ok +policy/m);
    chmodSync(join(place.config, 'policy.yaml'), 0o666);
    const loose = await runCommand(place, ['doctor']);
    expect(loose.stdout).toMatch(/^warn +policy +Other users may write to .*policy\.yaml.*Fix: chmod go-w/m);
  });

  it('reload reads the scanners again', async () => {
    const { code, stdout } = await runCommand(place, ['reload']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Reloaded in every process: \d+ pools/);
  });

  it('worker ends by itself when there is nothing to do', async () => {
    const { code, stdout, stderr } = await runCommand(place, ['worker']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain('worker ended');
  });

  it('worker --stay goes on until SIGTERM and then ends well', async () => {
    const child = startCommand(place, ['worker', '--stay']);
    child.stderr?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('worker started')) child.kill('SIGTERM');
    });
    const { code, signal } = await untilEnded(child);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  });
});
