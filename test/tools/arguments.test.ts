import { ALL_SCOPES } from '../../src/model/caller.ts';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { describe, expect, it, onTestFinished } from 'vitest';
import { getScanResults } from '../../src/tools/get-scan-results.ts';
import { lenient } from '../../src/tools/lenient.ts';
import { runUntrustedScan } from '../../src/tools/run-untrusted-scan.ts';
import { createMcpServer } from '../../src/tools/server.ts';
import { nmapXml } from '../scans/nmap-xml.ts';
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

  it('may give ports as a number or a list, and the values of a fixed set in any case or with commas', async () => {
    const { ok, app } = await wire();
    const request = async (args: Record<string, unknown>) => {
      const { scan_id: id } = await ok('run_untrusted_scan', {
        targets: '127.0.0.1',
        scanner_pool: 'baseline',
        ...args,
      });
      return (await app.queue.get('local', String(id)))?.request;
    };
    expect(await request({ ports: 8080 })).toMatchObject({ ports: '8080' });
    for (const ports of [[80, 443], ['80', ' 443'], '[80, 443]', '80, 443'])
      expect(await request({ ports })).toMatchObject({ ports: '80,443' });
    expect(await request({ intensity: ' Light' })).toMatchObject({ intensity: 'light' });
    expect(await ok('list_scans', { state: 'QUEUED' })).toMatchObject({ total: expect.any(Number) });
  });

  it('are read by the schema, whichever tool it is', () => {
    const read = (args: Record<string, unknown>) => lenient(getScanResults, args);
    const both = { severity_levels: ['high', 'critical'] };
    for (const levels of ['high,critical', 'High, CRITICAL', ['HIGH', 'critical'], '["high", "Critical"]'])
      expect(read({ severity_levels: levels })).toEqual(both);
    expect(read({ severity_levels: 'High' })).toEqual({ severity_levels: ['high'] });
    expect(read({ fields: 'title,severity' })).toEqual({ fields: ['title,severity'] });
    expect(read({ kev_only: 'True', min_cvss: '7.5', text: 7 })).toEqual({ kev_only: true, min_cvss: 7.5, text: '7' });
    expect(read({ text: ['a', 'b'], sort: 7 })).toEqual({ text: ['a', 'b'], sort: 7 });
    const spaces = { ports: ' '.repeat(2_000_000) };
    expect(lenient(runUntrustedScan, spaces)).toEqual(spaces);
    expect(lenient(runUntrustedScan, { targets: '127.0.0.1,::1' })).toEqual({ targets: ['127.0.0.1,::1'] });
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
    const run = (args: Record<string, unknown>) => fails('run_untrusted_scan', { targets: ['127.0.0.1'], ...args });
    const told: readonly (readonly [Record<string, unknown>, string])[] = [
      [{ targets: null }, 'targets is missing.'],
      [{ targets: [] }, 'targets must be 1 to 1,000 entries.'],
      [{ targets: [7] }, 'targets[0] must be text, 1 to 2,000 characters.'],
      [{ targets: { a: 1 } }, 'targets must be a list, 1 to 1,000 entries.'],
      [{ priority: 'high' }, 'priority must be a whole number, 1 to 10.'],
      [{ priority: 2.5 }, 'priority must be a whole number, 1 to 10.'],
      [{ priority: 11 }, 'priority must be 1 to 10.'],
      [{ wait_seconds: -1 }, 'wait_seconds must be 0 to 50.'],
      [{ intensity: 'brutal' }, 'intensity must be one of light, standard, intrusive.'],
      [{ intensity: 'standart' }, 'intensity must be one of light, standard, intrusive; did you mean standard?'],
      [{ intensity: 3 }, 'intensity must be one of light, standard, intrusive.'],
      [
        { severity_levels: 'high,criticl' },
        'severity_levels[1] must be one of info, low, medium, high, critical; did you mean critical?',
      ],
      [{ ports: '80;443' }, 'ports must be text like 80,443,8000-8100, at most 2,000 characters.'],
      [{ ports: ['http', 80] }, 'ports must be text like 80,443,8000-8100.'],
      [{ ports: true }, 'ports must be text like 80,443,8000-8100.'],
      [{ scanner_pool: 'x'.repeat(65) }, 'scanner_pool must be at most 64 characters.'],
      [{ idempotency_key: 'short' }, 'idempotency_key must be 8 to 200 characters.'],
      [{ priority: 0, wait_seconds: 51 }, 'priority must be 1 to 10. wait_seconds must be 0 to 50.'],
    ];
    const hint = 'Correct the named argument and call again.';
    for (const [args, words] of told) expect(await run(args)).toBe(`invalid_request: ${words} ${hint}`);
    expect(await run({ ports: '99999', scanner_pool: 'baseline' })).toMatch(/^invalid_request: ports: 99999/);
    expect(await fails('list_scans', { created_after: 'yesterday' })).toBe(
      `invalid_request: created_after must be text like 2026-01-31T08:00:00Z. ${hint}`,
    );
    expect(await fails('get_scan_results', { scan_id: 'x', kev_only: 'maybe' })).toBe(
      `invalid_request: kev_only must be true or false. ${hint}`,
    );
  });

  it('that has a required argument under another name is told as one mistake', async () => {
    const { fails } = await wire();
    const meant: readonly (readonly [string, string, string])[] = [
      ['get_scan_status', 'id', 'scan_id'],
      ['get_scan_results', 'id', 'scan_id'],
      ['cancel_scan', 'scan', 'scan_id'],
      ['get_finding', 'id', 'finding_id'],
      ['run_untrusted_scan', 'target', 'targets'],
    ];
    for (const [tool, wrong, right] of meant)
      expect(await fails(tool, { [wrong]: 'x' })).toBe(
        `invalid_request: Unknown argument "${wrong}"; did you mean ${right}? Correct the named argument and call again.`,
      );
    expect(await fails('get_scan_status', { shell: 'x' })).toMatch(
      /^invalid_request: scan_id is missing\. Unknown argument "shell"\. Known: scan_id\./,
    );
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
    const refused = { code: ErrorCode.InvalidParams };
    expect(await call({ arguments: {} })).toMatchObject({ ...refused, message: expect.stringContaining('name') });
    for (const odd of ['all', [], 5, null]) {
      expect(await call({ name: 'list_scans', arguments: odd })).toMatchObject({
        ...refused,
        message: expect.stringContaining('arguments: must be an object'),
      });
    }
  });
});

describe('an empty list of checks or severities', () => {
  it('is the option left out, not a scan without checks', async () => {
    const { ok, app } = await wire({ 'scanners.yaml': 'nmap:\n  - { instance_id: local, name: Local }\n' });
    const { scan_id: id } = await ok('run_untrusted_scan', { targets: '127.0.0.1', scanner_pool: 'nmap' });
    const empty = { targets: '127.0.0.1', scanner_pool: 'nmap', templates: [], severity_levels: '[]' };
    expect(await ok('plan_scan', empty)).toMatchObject({ would_deduplicate_to: id });
    expect(await ok('run_untrusted_scan', empty)).toMatchObject({ scan_id: id, deduplicated: true });
    const scan = await app.queue.get('local', String(id));
    expect(scan?.request).not.toHaveProperty('templates');
  });
});

describe('a filter by rule', () => {
  it('says that an id is whole when nothing has it, and is not empty', async () => {
    const { ok, fails } = await wire();
    const report = nmapXml([{ address: '127.0.0.1', ports: [22] }]);
    const { scan_id } = await ok('import_report', { content: report });
    const { summary } = await ok('get_scan_results', { scan_id, rule_id: 'open-port' });
    expect(summary).toMatch(/A rule_id is matched whole, as findings have it: group_by rule lists those there are\.$/);
    expect(await fails('get_scan_results', { scan_id, rule_id: '' })).toMatch(/^invalid_request: rule_id must be 1 to/);
  });
});

describe('a look at the scans on the scanners themselves', () => {
  it('is an unsupported option while no engine has any, and off unless asked for', async () => {
    const { ok, fails } = await wire();
    expect(await fails('list_scanners', { remote_scans: true })).toBe(
      'option_unsupported: No configured engine has remote scans to list (remote_scans). Leave remote_scans out.',
    );
    expect(await fails('list_scanners', { remote_scans: true, scanner_pool: 'baseline' })).toBe(
      'option_unsupported: Pool baseline has no remote scans to list (remote_scans). Leave remote_scans out.',
    );
    expect(await ok('list_scanners', { remote_scans: 'False' })).toEqual(await ok('list_scanners'));
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

describe('a call refused for its arguments', () => {
  it('is noted before it is answered when the tool would change something, and only then', async () => {
    const { app } = await wire();
    const noted: string[] = [];
    const server = createMcpServer({
      version: '0.0.0',
      open: () =>
        Promise.resolve({
          ...app.scans,
          noteRefusal: async (tool, code, { caller, traceId }) => {
            noted.push([tool, code, caller.name, traceId.length].join(' '));
          },
        }),
      onDefect: (error) => {
        throw error;
      },
    });
    const client = new Client({ name: 'noted', version: '1.0.0' });
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    await server.connect(serverSide);
    await client.connect(clientSide);
    onTestFinished(() => client.close());
    const call = (name: string, args: Record<string, unknown>) => client.callTool({ name, arguments: args });
    expect(await call('run_untrusted_scan', { targets: [] })).toMatchObject({ isError: true });
    expect(await call('cancel_scan', { scan_id: 'a\0' })).toMatchObject({ isError: true });
    expect(await call('plan_scan', { targets: [] })).toMatchObject({ isError: true });
    expect(await call('list_scans', { limit: 0 })).toMatchObject({ isError: true });
    expect(noted).toEqual([
      'run_untrusted_scan invalid_request stdio:noted 32',
      'cancel_scan invalid_request stdio:noted 32',
    ]);
  });
});

describe('what belongs to another tenant', () => {
  it('does not exist for a caller, in the same words as what never existed', async () => {
    const { ok, fails, app } = await wire({ 'policy.yaml': "allow: [{ target: 127.0.0.1, tenants: ['*'] }]\n" });
    const caller = { tenant: 'other', name: 'test', isOperator: true, scopes: ALL_SCOPES };
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
