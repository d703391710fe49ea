import { AGENT_SCOPES } from '../../src/model/caller.ts';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openApp, type App } from '../../src/app.ts';
import { createScanFiles } from '../../src/findings/scan-files.ts';
import { ImportInput } from '../../src/model/contract/imports.ts';
import { AppError } from '../../src/model/errors.ts';
import { newScanId } from '../../src/model/ids.ts';
import { ParsedFinding } from '../../src/model/finding.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { createLog } from '../../src/platform/log.ts';
import type { ReportFormat } from '../../src/scanners/report-format.ts';

const finding = (port: number): ReportEvent => ({
  kind: 'finding',
  finding: ParsedFinding.parse({
    rule_id: 'r',
    title: 't',
    severity: 'low',
    severity_source: 'engine',
    location: { ip: '127.0.0.1', port },
  }),
});

/** Reads `slow <n>`: n findings, with what a test does between them. */
function slowFormat(between: (n: number) => Promise<void> | void): ReportFormat {
  return {
    name: 'slow',
    engine: 'slow',
    detect: (head) => head.toString('latin1').startsWith('slow '),
    async *parse(report: Readable) {
      let text = '';
      for await (const chunk of report) text += String(chunk);
      for (let n = 1; n <= Number(text.slice(5)); n += 1) {
        await between(n);
        yield finding(n % 60_000);
      }
      yield { kind: 'end' };
    },
  };
}

describe('an import', () => {
  let folder: string;
  const apps: App[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scanmux-import-'));
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const scans = (): string => join(folder, 'data', 'scans');
  const left = (): string[] => (existsSync(scans()) ? readdirSync(scans()) : []);
  const open = async (format: ReportFormat): Promise<App> => {
    const app = await openApp({
      configFolder: join(folder, 'config'),
      dataFolder: join(folder, 'data'),
      mode: 'stdio',
      log: createLog('silent'),
      env: { SCANMUX_STORAGE_RESERVE_MB: '0' },
      spawnWorker: false,
      readerThreads: 0,
      formats: [format],
    });
    apps.push(app);
    return app;
  };
  const run = (app: App, content: string, signal = new AbortController().signal) =>
    app.scans.importReport(ImportInput.parse({ content }), {
      caller: { tenant: 'local', name: 'test', isOperator: false, scopes: AGENT_SCOPES },
      traceId: '1'.repeat(32),
      signal,
    });
  const sweep = (app: App) => createScanFiles(scans()).sweep((ids) => app.queue.referencedAttempts(ids));

  it('leaves nothing when its caller gives up, wherever it is then', async () => {
    for (const at of [1, 700]) {
      const caller = new AbortController();
      const app = await open(slowFormat((n) => (n === at ? caller.abort() : turn())));
      await expect(run(app, 'slow 800', caller.signal)).rejects.toMatchObject({ code: 'scan_aborted' });
      expect(left()).toEqual([]);
      expect((await app.queue.list('local', { limit: 1 })).total).toBe(0);
    }
  });

  it('never starts for a caller that gave up while waiting for its turn', async () => {
    const caller = new AbortController();
    let begun = 0;
    const app = await open(
      slowFormat(async (n) => {
        if (n === 1) begun += 1;
        await delay(1);
      }),
    );
    const first = run(app, 'slow 20');
    const second = run(app, 'slow 21', caller.signal);
    caller.abort();
    expect(await first).toMatchObject({ total: 20 });
    await expect(second).rejects.toMatchObject({ code: 'scan_aborted' });
    expect(begun).toBe(1);
    expect(await run(app, 'slow 22')).toMatchObject({ total: 22 });
  });

  it('removes at first what an import of a killed process left, and only once', async () => {
    const dead = newScanId();
    mkdirSync(join(scans(), dead, '1'), { recursive: true });
    writeFileSync(join(scans(), dead, '1', 'report.raw'), 'slow 1');
    const claim = join(scans(), `${dead}.claim`);
    writeFileSync(claim, '00000000-0000-0000-0000-000000000000|1|1');
    const app = await open(slowFormat(() => undefined));
    const first = await run(app, 'slow 1');
    expect(left()).toEqual([first.scan_id]);
    writeFileSync(claim, '');
    const second = await run(app, 'slow 2');
    expect(left().toSorted()).toEqual([first.scan_id, second.scan_id, `${dead}.claim`].toSorted());
  });

  it('keeps its folder from a sweep while it is under way, and its files afterwards', async () => {
    let swept = -1;
    const app = await open(
      slowFormat(async (n) => {
        if (n === 5) swept = await sweep(app);
      }),
    );
    const made = await run(app, 'slow 10');
    expect(swept).toBe(0);
    expect(await sweep(app)).toBe(0);
    expect(left()).toEqual([made.scan_id]);
    expect(await app.queue.get('local', made.scan_id)).toMatchObject({ state: 'completed' });
  });

  it('gives other work its turn however many findings it has', async () => {
    const app = await open(slowFormat(() => undefined));
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    await run(app, 'slow 20000');
    clearInterval(counting);
    expect(turns).toBeGreaterThan(10);
  });

  it.each([
    ['a defect of a parser', () => Promise.reject(new TypeError('broken')), 'internal'],
    ['a full disk', () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })), 'storage_full'],
  ])('leaves nothing after %s', async (_, fail, code) => {
    const app = await open(slowFormat((n) => (n === 3 ? fail() : undefined)));
    const failed = await run(app, 'slow 5').catch((error: unknown) => error);
    expect(failed instanceof AppError ? failed.code : 'internal').toBe(code);
    expect(left()).toEqual([]);
  });
});
