import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { newScanId } from '../../src/model/ids.ts';
import { Artefact } from '../../src/model/scan.ts';
import { createS3Objects } from '../../src/findings/remote/s3-objects.ts';
import { openMachine, recordOf, temporaryFolder } from '../findings/remote/machines.ts';
import { startS3Proxy, type S3Proxy } from '../s3-proxy.ts';
import { startS3, type S3Server } from '../s3-server.ts';
import {
  connect,
  createInstallation,
  finished,
  workerPids,
  type Connection,
  type Installation,
} from './stdio-client.ts';

const scripted = (...templates: string[]) => ({ targets: ['127.0.0.1'], scanner_pool: 'scripted', templates });

describe('with a bucket for results', () => {
  let s3: S3Server;
  let rounds = 0;
  beforeAll(async () => {
    s3 = await startS3();
  });
  afterAll(() => s3.close());

  interface Opened {
    readonly installation: Installation;
    readonly mcp: Connection;
    readonly proxy: S3Proxy;
    readonly keys: () => Promise<string[]>;
    /** Takes away every copy of this machine, as on another one that has not read anything yet. */
    readonly forget: () => void;
  }
  const open = async (): Promise<Opened> => {
    rounds += 1;
    const prefix = `e2e-${rounds}`;
    const proxy = await startS3Proxy(s3.port);
    onTestFinished(() => proxy.close());
    const installation = createInstallation();
    const env = {
      ...s3.env,
      ...s3.settings,
      SCANMUX_ARTEFACTS_S3_ENDPOINT: proxy.url,
      SCANMUX_ARTEFACTS_S3_PREFIX: prefix,
    };
    const objects = createS3Objects({ bucket: s3.bucket, prefix, endpoint: s3.url, forcePathStyle: true });
    return {
      installation,
      mcp: await connect(installation, { env }),
      proxy,
      keys: async () => (await objects.list('scan_')).objects.map(({ key }) => key),
      forget: () => rmSync(join(installation.data, 'cache'), { recursive: true }),
    };
  };
  const started = (installation: Installation): number =>
    installation.journal().filter((line) => line.startsWith('start')).length;

  it('two processes without a common disk read one result', async () => {
    const scanId = newScanId();
    const folder = temporaryFolder();
    const count = 20_000;
    const argv = ['test/programs/share-scan.mjs', folder, s3.url, s3.bucket, 'apart', scanId, String(count)];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { env: { ...process.env, ...s3.env } });
    rmSync(folder, { recursive: true });
    const scan = recordOf(scanId, z.array(Artefact).parse(JSON.parse(stdout)));
    const here = await openMachine({ url: s3.url, bucket: s3.bucket, prefix: 'apart' });
    const file = here.files.findingsOf(scan) ?? '';
    const query = { group_by: 'severity', detail: 'minimal', sort: 'urgency', max_tokens: 500 } as const;
    expect(await here.findings.query({ file, scanId }, query)).toMatchObject({ total: count });
  });

  it('a scan leaves nothing but copies on its machine, and is read without them', async () => {
    const { mcp, installation, keys, forget } = await open();
    const scan = await mcp.ok('run_untrusted_scan', { ...scripted('findings:7'), wait_seconds: 30 });
    expect(scan).toMatchObject({ state: 'completed', verdict: 'complete' });
    expect(await keys()).toEqual([
      expect.stringMatching(new RegExp(`^${String(scan['scan_id'])}/1/findings-`)),
      `${String(scan['scan_id'])}/1/report.raw`,
    ]);
    expect(existsSync(join(installation.data, 'scans', String(scan['scan_id'])))).toBe(false);
    // Whatever the SDK has to say, the log is JSON lines.
    const log = readFileSync(join(installation.data, 'logs', 'worker.log'), 'utf8')
      .trim()
      .split('\n');
    for (const line of log) expect(() => JSON.parse(line)).not.toThrow();
    forget();
    expect(await mcp.ok('get_scan_results', { scan_id: scan['scan_id'] })).toMatchObject({ total: 7 });
    forget();
    const native = await mcp.ok('export_report', { scan_id: scan['scan_id'], format: 'native' });
    expect(readFileSync(String(native['path'])).length).toBe(native['bytes']);
  });

  it('doctor asks the store', async () => {
    const { installation, proxy } = await open();
    const doctor = async (): Promise<string> => {
      const argv = ['dist/cli/main.js', 'doctor', '--config', installation.config, '--data', installation.data];
      const env = { ...process.env, ...s3.env, ...s3.settings, SCANMUX_ARTEFACTS_S3_ENDPOINT: proxy.url };
      const ended = promisify(execFile)(process.execPath, argv, { env });
      return ended.then(
        ({ stdout }) => stdout,
        (error: unknown) => z.object({ stdout: z.string() }).parse(error).stdout,
      );
    };
    expect(await doctor()).toContain(`s3://${s3.bucket}/scanmux`);
    proxy.judge = () => ({ status: 403, code: 'AccessDenied' });
    expect(await doctor()).toMatch(/artefacts.*storage_unusable.*AccessDenied/);
  });

  it('a question says that the store is away, and is answered when it is back', async () => {
    const { mcp, proxy, forget } = await open();
    const scan = await mcp.ok('run_untrusted_scan', { ...scripted('findings:4'), wait_seconds: 30 });
    const ask = { scan_id: scan['scan_id'] };
    forget();
    proxy.judge = () => 'cut';
    expect(await mcp.fails('get_scan_results', ask)).toMatchObject({ code: 'storage_unavailable' });
    expect(await mcp.ok('get_scan_status', ask)).toMatchObject({ state: 'completed', results: { findings: 4 } });
    expect(await mcp.ok('search_findings', { text: 'scripted' })).toMatchObject({ answer: 'cannot_tell' });
    proxy.judge = () => 'pass';
    await expect
      .poll(async () => (await mcp.client.callTool({ name: 'get_scan_results', arguments: ask })).structuredContent, {
        interval: 500,
      })
      .toMatchObject({ total: 4 });
  });

  it('a scan that ends while the store is away waits for it, and is not run again', async () => {
    const { mcp, proxy, installation } = await open();
    proxy.judge = () => ({ status: 503, code: 'ServiceUnavailable' });
    const scan = await mcp.ok('run_untrusted_scan', scripted('findings:5'));
    await expect.poll(() => proxy.seen.length).toBeGreaterThan(3);
    expect(await mcp.ok('get_scan_status', { scan_id: scan['scan_id'] })).toMatchObject({ state: 'running' });
    proxy.judge = () => 'pass';
    expect(await finished(mcp, scan['scan_id'])).toMatchObject({
      state: 'completed',
      attempt: 1,
      results: { findings: 5 },
    });
    expect(started(installation)).toBe(1);
  });

  it('a worker that is killed in the middle of an upload leaves no result, and the next one ends the scan', async () => {
    const { mcp, proxy, installation, keys, forget } = await open();
    // More than one part.
    const scan = await mcp.ok('run_untrusted_scan', scripted('findings:30000'));
    const isPart = (line: string): boolean => line.includes('partNumber=2');
    proxy.judge = (line) => (isPart(line) ? 'hang' : 'pass');
    await expect.poll(() => proxy.seen.some(({ line }) => isPart(line)), { timeout: 25_000 }).toBe(true);
    for (const pid of workerPids(installation.data)) process.kill(pid, 'SIGKILL');
    expect(await mcp.ok('get_scan_status', { scan_id: scan['scan_id'] })).not.toMatchObject({ state: 'completed' });
    expect((await keys()).filter((key) => key.includes('findings-'))).toEqual([]);
    proxy.judge = () => 'pass';
    expect(await finished(mcp, scan['scan_id'])).toMatchObject({ state: 'completed', results: { findings: 30_000 } });
    expect(started(installation)).toBe(1);
    forget();
    expect(await mcp.ok('get_scan_results', { scan_id: scan['scan_id'] })).toMatchObject({ total: 30_000 });
  }, 60_000);

  it('an import is stored before it is recorded, or not at all', async () => {
    const { mcp, proxy, installation, keys, forget } = await open();
    const content = [
      '<?xml version="1.0"?><nmaprun scanner="nmap" start="1700000000"><host><status state="up" reason="user-set"/>',
      '<address addr="127.0.0.1" addrtype="ipv4"/><ports><port protocol="tcp" portid="80">',
      '<state state="open" reason="syn-ack"/></port></ports></host>',
      '<runstats><finished time="1700000100" exit="success"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>',
    ].join('');
    proxy.judge = () => ({ status: 503, code: 'ServiceUnavailable' });
    expect(await mcp.fails('import_report', { content })).toMatchObject({ code: 'storage_unavailable' });
    expect(await mcp.ok('list_scans')).toMatchObject({ total: 0 });
    proxy.judge = () => 'pass';
    const scan = await mcp.ok('import_report', { content });
    expect(await keys()).toHaveLength(2);
    expect(existsSync(join(installation.data, 'scans', String(scan['scan_id'])))).toBe(false);
    forget();
    expect(await mcp.ok('get_scan_results', { scan_id: scan['scan_id'] })).toMatchObject({ total: scan['total'] });
  });
});
