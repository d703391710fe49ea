import { AGENT_SCOPES } from '../../src/model/caller.ts';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Ask } from '../../src/scans/deps.ts';
import { wire } from './wire.ts';

const RUN = { targets: ['127.0.0.1:1'] };
const UNKNOWN = 'scan_00000000000000000000';

describe('answers that could be taken for more than they are', () => {
  it('say that an earlier scan answers when a key is repeated with waiting, and give the whole status', async () => {
    const { ok } = await wire();
    const keyed = { ...RUN, idempotency_key: 'key-00000001', wait_seconds: 1 };
    const first = await ok('run_untrusted_scan', keyed);
    expect(first).toMatchObject({ deduplicated: false, queue_position: 1, attempt: 0, targets: ['127.0.0.1:1'] });
    expect(first['summary']).not.toMatch(/No new scan was made/);
    const again = await ok('run_untrusted_scan', keyed);
    expect(again['summary']).toMatch(new RegExp(`^No new scan was made: scan ${String(first['scan_id'])} of `));
  });

  it('give coverage and counts for a scan that ended before it began', async () => {
    const { ok } = await wire();
    const { scan_id: scanId } = await ok('run_untrusted_scan', RUN);
    await ok('cancel_scan', { scan_id: scanId });
    expect(await ok('get_scan_status', { scan_id: scanId })).toMatchObject({
      state: 'cancelled',
      verdict: 'not_tested',
      coverage: { requested: 1, tested: 0, not_tested: 1 },
      results: { findings: 0 },
    });
  });

  it('name the pools when list_scans is asked for one that never was', async () => {
    const { ok, fails } = await wire();
    expect(await fails('list_scans', { scanner_pool: 'nopool' })).toMatch(/^pool_unknown: .*baseline/);
    expect(await ok('list_scans', { scanner_pool: 'baseline' })).toMatchObject({ total: 0 });
  });
});

describe('a filter that matches nothing', () => {
  it.each([
    [{ min_cvss: 5 }, /findings without this value cannot match/],
    [{ port: 4_711 }, /proves nothing about what was not looked for/],
  ])('is no all-clear: %o', async (filter, warning) => {
    const { app, ok } = await wire();
    const stop = new AbortController();
    const working = app.runWorker(stop.signal, { leaveWhenIdle: false });
    // The server of the test itself is the one thing sure to be found: an HTTP service without any header.
    const server = createServer((_request, response) => response.end('ok'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      const { scan_id: scanId } = await ok('run_untrusted_scan', {
        targets: [`http://127.0.0.1:${port}/`],
        intensity: 'light',
        wait_seconds: 20,
      });
      const all = await ok('get_scan_results', { scan_id: scanId });
      expect(all['total']).toBeGreaterThan(0);
      expect(all['summary']).not.toMatch(warning);
      const filtered = await ok('get_scan_results', { scan_id: scanId, ...filter });
      expect(filtered).toMatchObject({ total: 0, summary: expect.stringMatching(warning) });
    } finally {
      server.close();
      server.closeAllConnections();
      stop.abort();
      await working;
    }
  });
});

describe('the audit log', () => {
  it('holds also what was asked of scans that are not there, and runs nobody could read', async () => {
    const { app, fails } = await wire();
    await fails('cancel_scan', { scan_id: UNKNOWN });
    await fails('get_scan_results', { scan_id: UNKNOWN });
    await fails('run_untrusted_scan', { targets: [] });
    const told = (await app.audit.tail(10)).map(({ action, decision }) => `${action} ${decision}`);
    expect(new Set(told)).toEqual(
      new Set(['cancel scan_not_found', 'read_results scan_not_found', 'refuse invalid_request']),
    );
  });

  it('keeps the caller and the trace of a noted refusal', async () => {
    const { app } = await wire();
    const caller = { tenant: 'local', name: 'somebody', isOperator: false, scopes: AGENT_SCOPES };
    const ask: Ask = { caller, traceId: 'a'.repeat(32), signal: new AbortController().signal };
    await app.scans.noteRefusal('run_untrusted_scan', 'invalid_request', ask);
    expect((await app.audit.tail(1))[0]).toMatchObject({
      caller: { name: 'somebody' },
      traceId: 'a'.repeat(32),
      detail: { tool: 'run_untrusted_scan' },
    });
  });
});
