import { afterEach, describe, expect, it } from 'vitest';
import type { FaultInput } from '../../../../src/simulators/nessus/fault.ts';
import type { ScenarioInput } from '../../../../src/simulators/nessus/scenario.ts';
import { openLab, stopped, type Lab } from './harness.ts';

let lab: Lab;
afterEach(async () => lab.close());

const launches = (): number => lab.done('POST', '/scans/{id}/launch').length;

describe('a licence without control of scans', () => {
  for (const edition of ['essentials', 'professional'] as const) {
    for (const forbidden of ['body', 'head', 'reset'] as const) {
      it(`ends the scan on ${edition} at once (412 as ${forbidden})`, async () => {
        lab = await openLab({ edition, forbidden });
        const { error } = await lab.attempt();
        expect(error).toMatchObject({ code: 'scanner_edition_forbids_api', retryable: false });
        expect(lab.all('POST', '/scans').length).toBeLessThanOrEqual(1);
        expect(launches()).toBe(0);
      });
    }
  }

  it('ends it also where the server did the work and then broke the connection', async () => {
    lab = await openLab({ edition: 'professional', forbidden: 'reset_after_success' });
    const { error } = await lab.attempt();
    expect(error).toMatchObject({ code: 'scanner_edition_forbids_api' });
    expect(lab.all('POST', '/scans')).toHaveLength(1);
    expect(launches()).toBe(0);
  });
});

describe('a write whose answer does not come', () => {
  const faults: Readonly<Record<string, FaultInput>> = {
    'a reset before creating': { on: 'POST /scans', nth: 1, do: 'reset' },
    'a reset after creating': { on: 'POST /scans', nth: 1, do: 'reset_after_success' },
    'a reset before launching': { on: 'POST /scans/{id}/launch', nth: 1, do: 'reset' },
    'a reset after launching': { on: 'POST /scans/{id}/launch', nth: 1, do: 'reset_after_success' },
    'half an answer to creating': { on: 'POST /scans', nth: 1, do: 'half_json' },
    'a page instead of an answer to launching': { on: 'POST /scans/{id}/launch', nth: 1, do: 'html_page' },
    'a gateway that gives up on creating': { on: 'POST /scans', nth: 1, do: 'status', code: 504, html: true },
    'a rate limit on creating': { on: 'POST /scans', nth: 1, do: 'status', code: 429, retry_after: 30, html: true },
    'a session that ended': { on: 'POST /scans', nth: 1, do: 'logged_out' },
  };
  for (const [name, fault] of Object.entries(faults)) {
    it(`is made up for, and nothing is done twice: ${name}`, async () => {
      const isSession = fault.do === 'logged_out';
      lab = await openLab({ faults: [fault] }, isSession ? { username: 'scanner', password: 'simulated' } : {});
      const { outcome, error } = await lab.attempt();
      expect(error).toBeUndefined();
      expect(outcome).toEqual({ whole: true });
      expect(lab.sim.control.scans()).toHaveLength(1);
      expect(lab.sim.control.scans()[0]?.launches).toHaveLength(1);
      expect(lab.all('POST', '/scans').length).toBeLessThanOrEqual(2);
    });
  }

  it('is looked for also where the edition cannot be asked just then', async () => {
    const lost = { on: 'POST /scans', nth: 1, do: 'reset_after_success' } as const;
    lab = await openLab({ faults: [lost, { on: 'GET /server/properties', do: 'status', code: 503 }] });
    expect((await lab.attempt()).outcome).toEqual({ whole: true });
    expect(lab.all('POST', '/scans')).toHaveLength(1);
  });

  it('ends in bounded requests when the connection breaks every time', async () => {
    lab = await openLab({ faults: [{ on: 'POST /scans', do: 'reset' }] });
    const { error } = await lab.attempt();
    expect(error).toMatchObject({ code: 'scanner_unreachable', retryable: true });
    expect(lab.sim.journal.entries().length).toBeLessThan(30);
  });

  it('is made up for also when it takes long', async () => {
    lab = await openLab({ faults: [{ on: 'POST /scans/{id}/launch', do: 'reset', nth: 1, times: 9 }] });
    expect((await lab.attempt()).outcome).toEqual({ whole: true });
    expect(lab.sim.control.scans()).toHaveLength(1);
    expect(launches()).toBe(1);
  });

  const scanId = 'scan_0123456789abcdefghjk';
  const handOn = async (until: 'made' | 'running'): Promise<void> => {
    const stop = new AbortController();
    const go = (): void => stop.abort(stopped('shutdown'));
    const onCheckpoint = ({ phase }: { phase: string }): void =>
      until === 'made' && phase === 'launched' ? go() : undefined;
    const onProgress = (): void => (until === 'running' ? go() : undefined);
    await lab.attempt({ scanId, signal: stop.signal, onCheckpoint, onProgress });
  };

  it('leaves nothing behind that was only made, when an attempt begins anew', async () => {
    lab = await openLab();
    await handOn('made');
    expect(lab.sim.control.scans()).toHaveLength(1);
    expect((await lab.attempt({ scanId, epoch: 2 })).outcome).toEqual({ whole: true });
    expect(lab.sim.control.scans().map(({ name }) => name)).toEqual([`scanmux ${scanId}.2`]);
    expect(launches()).toBe(1);
  });

  it('is not run a second time when it runs, although an attempt begins anew', async () => {
    lab = await openLab();
    await handOn('running');
    expect((await lab.attempt({ scanId, epoch: 2 })).outcome).toEqual({ whole: true });
    expect(lab.sim.control.scans().map(({ name }) => name)).toEqual([`scanmux ${scanId}.1`]);
    expect(launches()).toBe(1);
  });
});

describe('a scan that does not end well at the scanner', () => {
  const script = (more: object): ScenarioInput => ({
    runs: [{ walk: [{ status: 'running', for_ms: 60_000 }], ...more }],
  });

  it('gives what it found when Nessus aborts it', async () => {
    lab = await openLab(script({ ends: 'aborted' }));
    const { outcome, report } = await lab.attempt();
    expect(outcome).toMatchObject({ whole: false, reason: expect.stringContaining('aborted') });
    expect(report).toContain('<ReportHost');
    expect(launches()).toBe(1);
  });

  it('is adopted after a restart of Nessus, which aborts it', async () => {
    lab = await openLab(script({}));
    let isRestarted = false;
    const { outcome, report } = await lab.attempt({
      onProgress: ({ percent }) => {
        if (percent < 10 || isRestarted) return;
        isRestarted = true;
        lab.sim.control.restart(90_000);
      },
    });
    expect(isRestarted).toBe(true);
    expect(outcome).toMatchObject({ whole: false });
    expect(report).toContain('<ReportHost');
    expect(launches()).toBe(1);
  });

  it('is tried again when Nessus aborted it before it had found anything', async () => {
    lab = await openLab({
      runs: [{ walk: [{ status: 'pending', for_ms: 9_000 }], ends: 'aborted', hosts: { dead: ['10.0.0.1'] } }],
    });
    expect((await lab.attempt()).error).toMatchObject({ code: 'scan_aborted', retryable: true });
  });

  it('gives what it found when a person stops it', async () => {
    lab = await openLab(script({ someone: [{ after_ms: 20_000, does: 'stop' }] }));
    const { outcome } = await lab.attempt();
    expect(outcome).toMatchObject({ whole: false, reason: expect.stringContaining('Somebody stopped') });
  });

  it('is lost, and not repeated, when somebody deletes it', async () => {
    lab = await openLab(script({ someone: [{ after_ms: 20_000, does: 'delete' }] }));
    const { error } = await lab.attempt();
    expect(error).toMatchObject({
      code: 'remote_scan_lost',
      retryable: false,
      message: expect.stringContaining('deleted'),
    });
    expect(launches()).toBe(1);
  });

  it('is waited for while the scanner is away, and given up after the configured time', async () => {
    lab = await openLab(script({}), { outage_minutes: 30 });
    const { error } = await lab.attempt({
      onProgress: () => {
        if (lab.sim.journal.entries().length < 40) lab.sim.control.addFault({ on: '*', do: 'status', code: 503 });
      },
    });
    expect(error).toMatchObject({ code: 'remote_scan_lost', message: expect.stringContaining('30 minutes') });
    expect(error).toMatchObject({ hint: expect.stringContaining('may still be at the scanner') });
    expect(error).not.toMatchObject({ hint: expect.stringContaining('Somebody deleted') });
    expect(launches()).toBe(1);
  });
});

describe('answers that are none', () => {
  const reads = ['GET /scans', 'GET /scans/{id}', 'GET /folders', 'GET /editor/scan/templates', 'export_status'];
  for (const on of reads) {
    for (const wrong of ['half_json', 'html_page', 'empty_body', 'reset'] as const) {
      it(`are asked for again: ${wrong} on ${on}`, async () => {
        lab = await openLab({ faults: [{ on, nth: 1, times: 2, do: wrong }] });
        const { outcome, error } = await lab.attempt();
        expect(error).toBeUndefined();
        expect(outcome).toEqual({ whole: true });
        expect(launches()).toBe(1);
      });
    }
  }

  for (const on of ['GET /scans', 'GET /scans/{id}', 'POST /scans/{id}/launch', 'POST /scans']) {
    it(`are not taken for a scan that is gone when they are pages of a proxy: 404 on ${on}`, async () => {
      lab = await openLab({ faults: [{ on, nth: 1, times: 2, do: 'status', code: 404, html: true }] });
      const { outcome, error } = await lab.attempt();
      expect(on === 'POST /scans' ? undefined : error).toBeUndefined();
      if (on !== 'POST /scans') expect(outcome).toEqual({ whole: true });
      else expect(error).toMatchObject({ code: 'scanner_unreachable', retryable: true });
      expect(lab.sim.control.scans().length).toBeLessThanOrEqual(1);
    });
  }

  it('end the attempt with words for the operator when a proxy answers', async () => {
    lab = await openLab({ faults: [{ on: '*', do: 'html_page' }] });
    const { error } = await lab.attempt();
    expect(error).toMatchObject({ code: 'scanner_unreachable', message: expect.stringContaining('web page') });
    expect(lab.sim.journal.entries().length).toBeLessThan(12);
  });

  it('are limited in time when they come byte by byte', async () => {
    lab = await openLab({ faults: [{ on: 'GET *', do: 'slow_body', ms: 50, bytes: 1 }] }, { answer_seconds: 1 });
    const { error } = await lab.attempt();
    expect(error).toMatchObject({ code: 'scanner_unreachable', message: expect.stringContaining('in time') });
  });

  it('are limited in length', async () => {
    lab = await openLab({ faults: [{ on: 'GET /folders', do: 'endless_body' }] }, { answer_seconds: 5 });
    const { error } = await lab.attempt();
    expect(error).toMatchObject({ code: 'scanner_unreachable' });
  });

  it('are waited for as long as Retry-After says, and no longer than is reasonable', async () => {
    lab = await openLab({
      faults: [{ on: 'GET /scans', nth: 1, do: 'status', code: 429, retry_after: 100, html: true }],
    });
    expect((await lab.attempt()).outcome).toEqual({ whole: true });
    const all = lab.all('GET', '/scans').map(({ at }) => at);
    expect((all[1] ?? 0) - (all[0] ?? 0)).toBeGreaterThanOrEqual(100_000);
  });

  it('are rate_limited when there is no end to it', async () => {
    lab = await openLab({ faults: [{ on: 'GET /folders', do: 'status', code: 429, retry_after: 3_600 }] });
    expect((await lab.attempt()).error).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(lab.all('GET', '/folders')).toHaveLength(1);
  });
});

describe('a login that is refused', () => {
  it('is final with wrong keys, and never shows them', async () => {
    lab = await openLab();
    const scanner = lab.another({ access_key: 'wrong-access', secret_key: 'wrong-secret' });
    const { error } = await lab.attempt({}, scanner);
    expect(error).toMatchObject({ code: 'scanner_login_failed', retryable: false });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/wrong-(access|secret)/);
  });

  it('is not tried over and over, which would lock the account', async () => {
    lab = await openLab();
    const scanner = lab.another({ username: 'scanner', password: 'not-the-password' });
    for (let time = 0; time < 5; time += 1) {
      expect((await lab.attempt({}, scanner)).error).toMatchObject({ code: 'scanner_login_failed' });
    }
    expect(lab.all('POST', '/session')).toHaveLength(1);
  });

  it('is not tried again by another client of this process either: a reload, a second pool, a probe', async () => {
    lab = await openLab();
    const wrong = { username: 'scanner', password: 'not-the-password' };
    await lab.another(wrong).probe(new AbortController().signal);
    for (const settings of [wrong, { ...wrong, folder: 'Other' }]) {
      const scanner = lab.another(settings);
      expect(await scanner.probe(new AbortController().signal)).toMatchObject({
        status: 'unhealthy',
        why: expect.stringContaining('refused the login'),
      });
      expect((await lab.attempt({}, scanner)).error).toMatchObject({ code: 'scanner_login_failed' });
    }
    expect(lab.all('POST', '/session')).toHaveLength(1);
  });

  it('is tried once by clients that start together', async () => {
    lab = await openLab();
    const wrong = { username: 'scanner', password: 'not-the-password' };
    const scanners = [lab.another(wrong), lab.another(wrong), lab.another(wrong)];
    const healths = await Promise.all(scanners.map((scanner) => scanner.probe(new AbortController().signal)));
    expect(healths.every(({ why }) => why?.includes('refused the login'))).toBe(true);
    expect(lab.all('POST', '/session')).toHaveLength(1);
  });

  it('is tried at once with another password, and with the same one when ten minutes are over', async () => {
    lab = await openLab();
    const wrong = { username: 'scanner', password: 'not-the-password' };
    const never = new AbortController().signal;
    await lab.another(wrong).probe(never);
    expect(await lab.another({ ...wrong, password: 'simulated' }).probe(never)).toMatchObject({ status: 'healthy' });
    await lab.pass(10 * 60_000);
    await lab.another(wrong).probe(never);
    expect(lab.all('POST', '/session')).toHaveLength(3);
  });
});
