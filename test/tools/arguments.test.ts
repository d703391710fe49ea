import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { wire } from './wire.ts';

const Planned = z.object({ targets: z.array(z.object({ target: z.string() })) });
const targetsOf = (answer: unknown): string[] => Planned.parse(answer).targets.map(({ target }) => target);

describe('arguments of sloppy clients', () => {
  it('may give one string, or a string that holds a JSON array, where a list is due', async () => {
    const { ok } = await wire();
    const plan = async (targets: unknown) => targetsOf(await ok('plan_scan', { targets }));
    expect(await plan('127.0.0.1')).toEqual(['127.0.0.1']);
    expect(await plan('["127.0.0.2", "127.0.0.1"]')).toEqual(['127.0.0.1', '127.0.0.2']);
    expect(await plan([' 127.0.0.1'.trim(), '::1'])).toEqual(['127.0.0.1', '::1']);
    expect(await plan('[::1]:80')).toEqual(['[::1]:80']);
  });

  it('may give numbers and booleans as text, and null for what is left out', async () => {
    const { ok } = await wire();
    expect(await ok('list_scans', { limit: '5', state: null })).toMatchObject({ total: 0 });
    expect(await ok('plan_scan', { targets: '127.0.0.1', priority: '3', wait_seconds: ' 0 ' })).toMatchObject({
      allowed: true,
    });
  });

  it('keep their own words where text is due, whatever it looks like', async () => {
    const { ok, app } = await wire();
    const { scan_id: id } = await ok('run_untrusted_scan', { targets: '127.0.0.1', name: '[1]', project_id: '42' });
    expect(await app.queue.get('local', String(id))).toMatchObject({ name: '[1]', request: { project_id: '42' } });
  });
});

describe('an invalid request', () => {
  it('names the unknown argument and the nearest right one, or all there are', async () => {
    const { fails } = await wire();
    const targets = ['127.0.0.1'];
    expect(await fails('run_untrusted_scan', { targets, scaner_pool: 'nmap' })).toMatch(
      /^invalid_request: Unknown argument "scaner_pool"; did you mean scanner_pool\?/,
    );
    expect(await fails('run_untrusted_scan', { target: '127.0.0.1', targets })).toMatch(/did you mean targets\?/);
    expect(await fails('get_scan_status', { scan_id: 'x', shell: 'rm -rf' })).toMatch(
      /Unknown argument "shell"\. Known: scan_id\./,
    );
  });

  it('names the argument that is missing, of the wrong type or out of bounds', async () => {
    const { fails } = await wire();
    const targets = ['127.0.0.1'];
    expect(await fails('run_untrusted_scan')).toMatch(/^invalid_request: targets: .+ Correct the named argument/);
    expect(await fails('run_untrusted_scan', { targets: [] })).toMatch(/^invalid_request: targets: /);
    expect(await fails('run_untrusted_scan', { targets: [7] })).toMatch(/^invalid_request: targets\[0\]: /);
    expect(await fails('run_untrusted_scan', { targets: { a: 1 } })).toMatch(/^invalid_request: targets: /);
    expect(await fails('run_untrusted_scan', { targets, priority: 'high' })).toMatch(/^invalid_request: priority: /);
    expect(await fails('run_untrusted_scan', { targets, priority: 11 })).toMatch(/^invalid_request: priority: /);
    expect(await fails('run_untrusted_scan', { targets, intensity: 'brutal' })).toMatch(
      /^invalid_request: intensity: .*intrusive/,
    );
    expect(await fails('run_untrusted_scan', { targets, ports: '80;443' })).toMatch(
      /^invalid_request: ports: must look like 80,443,8000-8100/,
    );
    expect(await fails('run_untrusted_scan', { targets, ports: '99999', scanner_pool: 'baseline' })).toMatch(
      /^invalid_request: ports: 99999/,
    );
    expect(await fails('run_untrusted_scan', { targets, idempotency_key: 'short' })).toMatch(/idempotency_key/);
    expect(await fails('list_scans', { created_after: 'yesterday' })).toMatch(/^invalid_request: created_after: /);
    expect(await fails('wait_for_scan', { scan_id: 'x', wait_seconds: 51 })).toMatch(/^invalid_request: wait_seconds/);
  });

  it('is one with text that no store would keep as it is, wherever it stands', async () => {
    const { fails, app } = await wire();
    const targets = ['127.0.0.1'];
    const odd: readonly (readonly [string, unknown])[] = [
      ['idempotency_key', 'abcdefgh\0X'],
      ['idempotency_key', 'abcdefgh\ud800'],
      ['name', '\udc00 scan'],
      ['templates', ['fine', 'a\0b']],
      ['templates', JSON.stringify(['a\0b'])],
      ['description', { deep: [{ 'a\0b': 1 }] }],
      ['description', JSON.parse('['.repeat(5_000) + String.raw`"\u0000"` + ']'.repeat(5_000))],
    ];
    for (const [argument, value] of odd)
      expect(await fails('run_untrusted_scan', { targets, [argument]: value })).toMatch(
        new RegExp(`^invalid_request: ${argument} holds (a NUL character|half of a surrogate pair)\\.`),
      );
    expect(await fails('cancel_scan', { scan_id: 'scan_1\0' })).toMatch(/^invalid_request: scan_id holds a NUL/);
    expect(await fails('list_scans', { 'limit\0': null })).toMatch(
      /^invalid_request: The argument name .+ holds a NUL/,
    );
    expect(await app.queue.status('local')).toMatchObject({ pools: [] });
    const pair = '\ud83d\ude00';
    expect(await fails('get_scan_status', { scan_id: pair })).toMatch(/^scan_not_found: /);
    for (const target of ['127.0.0.1\0', '127.0.0.1\ud800'])
      expect(await fails('run_untrusted_scan', { targets: [target] })).toMatch(/^target_invalid: /);
  });

  it('is one with an argument whose name every object has, or that is null', async () => {
    const { fails } = await wire();
    const unknown: readonly Record<string, unknown>[] = [
      JSON.parse('{"__proto__": 1}'),
      JSON.parse('{"__proto__": null}'),
      JSON.parse('{"__proto__": {"limit": 3}}'),
      { constructor: 'x' },
      { toString: 'x' },
      { hasOwnProperty: null },
    ];
    for (const args of unknown)
      expect(await fails('list_scans', args)).toContain(`Unknown argument "${Object.keys(args).join()}"`);
  });

  it('is told in few words, however much is wrong', async () => {
    const { fails } = await wire();
    const junk = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`junk_${index}`, 'x'.repeat(1_000)]));
    const text = await fails('get_scan_status', { scan_id: 'x', ...junk });
    expect(text).toMatch(/^invalid_request: /);
    expect(text.length).toBeLessThan(2_000);
  });

  it('of a tool that does not exist, or without a name, is an error of the protocol', async () => {
    const { client } = await wire();
    const call = (params: Record<string, unknown>) =>
      client.request({ method: 'tools/call', params }, z.looseObject({})).catch((error: unknown) => error);
    const unknown = await call({ name: 'run_scan', arguments: {} });
    expect(unknown).toBeInstanceOf(McpError);
    expect(unknown).toMatchObject({ code: ErrorCode.InvalidParams, message: expect.stringContaining('run_scan') });
    expect(await call({ arguments: {} })).toBeInstanceOf(McpError);
    expect(await call({ name: 'list_scans', arguments: 'all' })).toBeInstanceOf(McpError);
  });
});

describe('what is read is written down', () => {
  it('names the scan and the trace of every look at results', async () => {
    const { ok, app } = await wire();
    const { scan_id: id } = await ok('run_untrusted_scan', { targets: '127.0.0.1' });
    await ok('cancel_scan', { scan_id: id, reason: 'test' });
    await ok('get_scan_results', { scan_id: id });
    const entries = await app.audit.tail(10);
    expect(entries.map(({ action, scanId }) => [action, scanId])).toEqual([
      ['submit', id],
      ['cancel', id],
      ['read_results', id],
    ]);
    expect(entries.every(({ traceId }) => /^[0-9a-f]{32}$/.test(traceId ?? ''))).toBe(true);
  });
});

describe('what belongs to another tenant', () => {
  it('does not exist for a caller, in the same words as what never existed', async () => {
    const { ok, fails, app } = await wire();
    const caller = { tenant: 'other', name: 'test', isOperator: true };
    const ask = { caller, traceId: '1'.repeat(32), signal: new AbortController().signal };
    const input = { targets: ['127.0.0.1'], intensity: 'light', priority: 1 } as const;
    const foreign = await app.scans.submit(
      { ...input, targets: [...input.targets], max_duration_minutes: 1, wait_seconds: 0 },
      ask,
    );
    const nobody = 'scan_00000000000000000000';
    for (const tool of ['get_scan_status', 'wait_for_scan', 'cancel_scan', 'get_scan_results'])
      expect(await fails(tool, { scan_id: foreign.scan_id })).toBe(await fails(tool, { scan_id: nobody }));
    expect(await fails('get_finding', { finding_id: `${foreign.scan_id}.1` })).toBe(
      await fails('get_finding', { finding_id: `${nobody}.1` }),
    );
    expect(await ok('list_scans')).toMatchObject({ total: 0, scans: [] });
    expect(JSON.stringify(await ok('get_queue_status'))).not.toContain(foreign.scan_id);
  });
});
