import { Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { AppError } from '../../src/model/errors.ts';
import { nessusType } from '../../src/scanners/nessus/nessus-type.ts';
import type { EngineProgress, ScannerType } from '../../src/scanners/scanner.ts';
import type { ScenarioInput } from '../../src/simulators/nessus/scenario.ts';
import { openLab, type Lab } from '../scanners/nessus/live/harness.ts';
import { wire } from '../tools/wire.ts';

interface Story {
  readonly scenario?: ScenarioInput;
  /** What happens at the scanner when the scan there has come so far. */
  readonly meanwhile?: (lab: Lab, progress: EngineProgress) => void;
  /** Where the disk of the data folder is full the first time. */
  readonly fullAt?: 'report' | 'reading';
  readonly ends: { readonly state: string; readonly verdict: string; readonly code?: string };
}

const LONG = { walk: [{ status: 'running', for_ms: 60_000 }] } as const;
const someone = (does: 'stop' | 'delete', after_ms: number): ScenarioInput => ({
  runs: [{ ...LONG, walk: [...LONG.walk], someone: [{ does, after_ms }] }],
});
const failed = (code: string) => ({ state: 'failed', verdict: 'not_tested', code });
const PARTIAL = { state: 'completed', verdict: 'partial' };
const COMPLETE = { state: 'completed', verdict: 'complete' };

/** NESSUS_API.md, section 5: how each ends for whoever asked for the scan. */
const STORIES: Readonly<Record<string, Story>> = {
  'nothing goes wrong': { ends: COMPLETE },
  'Nessus restarts and aborts it': {
    scenario: { runs: [{ ...LONG, walk: [...LONG.walk] }] },
    meanwhile(lab, { percent }) {
      if (percent > 30 && lab.sim.control.scans()[0]?.status === 'running') lab.sim.control.restart(1_000);
    },
    ends: PARTIAL,
  },
  'the disk is full when its report is fetched': { fullAt: 'report', ends: COMPLETE },
  'the disk is full when its report is read': { fullAt: 'reading', ends: COMPLETE },
  'a person stops it': { scenario: someone('stop', 30_000), ends: PARTIAL },
  'a person deletes it': { scenario: someone('delete', 20_000), ends: failed('remote_scan_lost') },
  'its report cannot be made': { scenario: { exports: { ends: 'error' } }, ends: failed('report_unreadable') },
  'one download is truncated': {
    scenario: { faults: [{ on: 'download', nth: 1, do: 'truncate', bytes: 500 }] },
    ends: COMPLETE,
  },
  'every download is truncated': {
    scenario: { faults: [{ on: 'download', do: 'truncate', bytes: 500 }] },
    ends: failed('report_unreadable'),
  },
  'the token of the report expires each time': {
    scenario: { exports: { token_expires_ms: 2_000, loading_polls: 3 } },
    ends: failed('report_unreadable'),
  },
  'the session expires': {
    scenario: { runs: [{ ...LONG, walk: [...LONG.walk] }], faults: [{ on: 'GET /scans', nth: 3, do: 'logged_out' }] },
    ends: COMPLETE,
  },
  'the edition forbids it only when it is tried': {
    scenario: { faults: [{ on: 'POST /scans', do: 'forbidden' }] },
    ends: failed('scanner_edition_forbids_api'),
  },
  'a person stops it before it found anything': {
    scenario: {
      runs: [
        {
          walk: [{ status: 'running', for_ms: 60_000 }],
          hosts: { first_after_ms: 50_000 },
          someone: [{ does: 'stop', after_ms: 10_000 }],
        },
      ],
    },
    ends: failed('remote_scan_lost'),
  },
};

interface Faults {
  readonly meanwhile: Story['meanwhile'] | undefined;
  readonly fullAt: Story['fullAt'] | undefined;
}

/** The engine on a simulator whose time passes as fast as it is waited for, as the tools and the worker see it. */
function engineOf(lab: Lab, { meanwhile, fullAt }: Faults): ScannerType<object> {
  const full = new AppError('storage_full', 'The disk of the data folder is full.');
  let left = fullAt;
  const fails = (where: typeof fullAt): boolean => {
    if (left !== where) return false;
    left = undefined;
    return true;
  };
  const fullDisk = (): Writable =>
    new Writable({ write: (_chunk, _encoding, done) => done(full) }).on('error', () => {});
  return {
    capabilities: nessusType.capabilities,
    settings: z.strictObject({}),
    create: () => ({
      ...lab.scanner,
      run: (job, ctx) =>
        lab.scanner.run(job, {
          ...ctx,
          report: fails('report') ? fullDisk() : ctx.report,
          progress(made) {
            ctx.progress(made);
            meanwhile?.(lab, made);
          },
        }),
      async *parse(report) {
        if (fails('reading')) throw full;
        yield* lab.scanner.parse(report);
      },
    }),
  };
}

describe('how a scan on a Nessus ends', () => {
  for (const [name, { scenario = {}, meanwhile, fullAt, ends }] of Object.entries(STORIES)) {
    it(`when ${name}: ${Object.values(ends).join(', ')}`, async () => {
      const isSession = name === 'the session expires';
      const lab = await openLab(scenario, isSession ? { username: 'scanner', password: 'simulated' } : {});
      onTestFinished(() => lab.close());
      const { app, ok } = await wire(
        { 'scanners.yaml': 'nessus:\n  - { instance_id: a, name: A }\n' },
        { engines: { nessus: engineOf(lab, { meanwhile, fullAt }) } },
      );
      const made = await ok('run_untrusted_scan', { targets: ['127.0.0.1'], scanner_pool: 'nessus' });
      const stop = new AbortController();
      const worker = app.runWorker(stop.signal, { leaveWhenIdle: false });
      const status = await ok('wait_for_scan', { scan_id: made['scan_id'], wait_seconds: 20 });
      stop.abort();
      await worker;
      const { code, ...shown } = ends;
      expect(status).toMatchObject({ ...shown, ...(code === undefined ? {} : { error: { code } }) });
      if (code === undefined) expect(status).not.toHaveProperty('error');
      expect(lab.done('POST', '/scans').length).toBeLessThanOrEqual(1);
      expect(lab.done('POST', '/scans/{id}/launch').length).toBeLessThanOrEqual(1);
      expect(lab.done('POST', '/session')).toHaveLength(isSession ? 2 : 0);
      expect(lab.foreignWrites()).toEqual([]);
    });
  }
});
