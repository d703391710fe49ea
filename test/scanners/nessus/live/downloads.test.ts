import { createHash } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import type { FaultInput } from '../../../../src/simulators/nessus/fault.ts';
import { openLab, type Lab } from './harness.ts';

let lab: Lab;
afterEach(async () => lab.close());

const BIG = { runs: [{ report: { findings_per_host: 200 } }] };
const isWhole = (report: string): boolean => report.trimEnd().endsWith('</NessusClientData_v2>');

describe('fetching a report', () => {
  const passing: Readonly<Record<string, FaultInput>> = {
    'a reset': { on: 'download', nth: 1, do: 'reset' },
    'a download that ends too early': { on: 'download', nth: 1, do: 'truncate', bytes: 20_000 },
    'three that end too early': { on: 'download', nth: 1, times: 3, do: 'truncate', bytes: 20_000 },
    'one that ends too early without a sign of it': { on: 'download', nth: 1, do: 'cut_clean', bytes: 20_000 },
    'a wrong length': { on: 'download', nth: 1, do: 'wrong_length', bytes: 500 },
    'a gateway that gives up': { on: 'download', nth: 1, do: 'status', code: 502, html: true },
    'a page instead of a report': { on: 'download', nth: 1, do: 'html_page' },
    'half JSON instead of a report': { on: 'download', nth: 1, do: 'half_json' },
    'nothing at all': { on: 'download', nth: 1, do: 'empty_body' },
    'a status that fails': { on: 'export_status', nth: 1, times: 2, do: 'status', code: 500 },
    'a scanner that is still busy': { on: 'POST /scans/{id}/export', nth: 1, times: 4, do: 'status', code: 409 },
    'a reset on asking': { on: 'POST /scans/{id}/export', nth: 1, do: 'reset_after_success' },
  };
  for (const [name, fault] of Object.entries(passing)) {
    it(`survives ${name}`, async () => {
      lab = await openLab({ ...BIG, faults: [fault] });
      const { outcome, error, report } = await lab.attempt();
      expect(error).toBeUndefined();
      expect(outcome).toEqual({ whole: true });
      expect(isWhole(report)).toBe(true);
      expect(report.match(/<NessusClientData_v2>/g)).toHaveLength(1);
    });
  }

  for (const route of ['file', 'tokens', 'scans_exports'] as const) {
    for (const answer of ['token_and_file', 'file'] as const) {
      if (answer === 'file' && route !== 'file') continue;
      it(`finds the route of this version: ${route}, answered with ${answer}`, async () => {
        const routes = route === 'scans_exports' ? (['scans_exports', 'tokens'] as const) : ([route] as const);
        lab = await openLab({ exports: { routes: [...routes], answer } });
        const { outcome, error } = await lab.attempt();
        expect(error).toBeUndefined();
        expect(outcome).toEqual({ whole: true });
      });
    }
  }

  it('asks for another one when the first has expired', async () => {
    lab = await openLab({ exports: { token_expires_ms: 2_000, loading_polls: 3 } });
    const { error } = await lab.attempt();
    expect(error).toMatchObject({ code: 'report_unreadable', retryable: false });
    expect(lab.done('POST', '/scans/{id}/export').length).toBeGreaterThan(1);
    expect(lab.done('POST', '/scans/{id}/export').length).toBeLessThan(5);
  });

  it('says so when the scanner cannot make it, without scanning again', async () => {
    lab = await openLab({ exports: { ends: 'error' } });
    const { error } = await lab.attempt();
    expect(error).toMatchObject({
      code: 'report_unreadable',
      retryable: false,
      hint: expect.stringContaining('import'),
    });
    expect(lab.done('POST', '/scans/{id}/launch')).toHaveLength(1);
  });

  for (const on of ['export_status', 'download', 'POST /scans/{id}/export']) {
    it(`waits for a scanner that is away just then, and scans nothing again: ${on}`, async () => {
      lab = await openLab({ ...BIG, faults: [{ on, nth: 1, times: 40, do: 'status', code: 503 }] });
      const { outcome, error, report } = await lab.attempt();
      expect(error).toBeUndefined();
      expect(outcome).toEqual({ whole: true });
      expect(isWhole(report)).toBe(true);
      expect(lab.done('POST', '/scans/{id}/launch')).toHaveLength(1);
    });
  }

  it('keeps what came of one that breaks off every time', async () => {
    lab = await openLab({ ...BIG, faults: [{ on: 'download', do: 'truncate', bytes: 30_000 }] });
    const { error, report } = await lab.attempt();
    expect(error).toMatchObject({ code: 'report_unreadable', message: expect.stringContaining('30000 bytes') });
    expect(report).toHaveLength(30_000);
    expect(lab.sim.journal.entries().length).toBeLessThan(60);
  });

  it('refuses pages for ever', async () => {
    lab = await openLab({ faults: [{ on: 'download', do: 'html_page' }] });
    const { error, report } = await lab.attempt();
    expect(error).toMatchObject({ code: 'report_unreadable' });
    expect(report).toBe('');
  });

  it('gives the same bytes however often it broke off', async () => {
    lab = await openLab(BIG);
    const scanId = 'scan_0123456789abcdefghjk';
    const whole = await lab.attempt({ scanId });
    lab.sim.control.addFault({ on: 'download', nth: 1, times: 3, do: 'truncate', bytes: 12_345 });
    const patched = await lab.attempt({
      scanId,
      epoch: 2,
      previous: lab.checkpoints.findLast(({ phase }) => phase === 'launched'),
    });
    const sum = (text: string): string => createHash('sha256').update(text).digest('hex');
    expect(sum(patched.report)).toBe(sum(whole.report));
  });

  it('stops the download when the store fails, and says what the store said', async () => {
    lab = await openLab(BIG);
    const full = new Writable({
      highWaterMark: 1_000,
      write: (_chunk, _encoding, done) => done(new Error('disk full')),
    });
    full.on('error', () => undefined);
    const { error } = await lab.attempt({ report: full });
    expect(error).toMatchObject({ message: 'disk full' });
  });

  it('holds only a little of it in memory while the store is slow', async () => {
    const bytes = 40 << 20;
    lab = await openLab({ runs: [{ report: { bytes } }] });
    let most = 0;
    let stored = 0;
    const slow = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        stored += chunk.length;
        most = Math.max(most, slow.writableLength);
        setImmediate(done);
      },
    });
    const { error } = await lab.attempt({ report: slow });
    expect(error).toBeUndefined();
    expect(stored).toBeGreaterThan(bytes);
    expect(most).toBeLessThan(1 << 20);
  });
});
