import { errorFacts } from '../../src/model/errors.ts';
import { newScanId, newTraceId } from '../../src/model/ids.ts';
import { describe, expect, it } from 'vitest';
import { RunUntrustedInput, type PlanInput } from '../../src/model/contract/run.ts';
import { askOf, tenantCaller, tenantsLab, type TenantsLab } from './tenants-lab.ts';

const POLICY = "max_intensity: intrusive\nallow: [{ target: 127.0.0.0/8, tenants: ['*'] }]\n";
const ERROR = { code: 'scan_aborted', message: 'The engine fell over.', hint: 'Try again.', retryable: true };
const RUN = { scanner_pool: 'baseline' };

const filesWith = (limits = '') => ({
  'scanmux.yaml': `storage_reserve_mb: 0\n${limits}`,
  'policy.yaml': POLICY,
});

async function failed({ app }: TenantsLab, scanId: string): Promise<void> {
  const claim = await app.queue.claim('worker', [{ pool: 'baseline', instance: 'one', limit: 99 }]);
  if (claim?.scan.scanId !== scanId) throw new Error('another scan was waiting');
  await app.queue.finish(claim, { kind: 'failed', error: ERROR });
}

/** Submits a scan of somebody with every right and lets it fail for good. */
async function deadLetter(lab: TenantsLab, input: PlanInput, caller = tenantCaller('acme')): Promise<string> {
  const { scan_id: scanId } = await lab.app.scans.submit(input, askOf(caller));
  await failed(lab, scanId);
  return scanId;
}
const target = (host: string, more = {}): PlanInput => RunUntrustedInput.parse({ ...RUN, targets: [host], ...more });

describe('a retry of a dead letter', () => {
  it('takes the scopes of its own run, and a refusal is written down', async () => {
    const lab = await tenantsLab(filesWith());
    const scanId = await deadLetter(lab, target('127.0.0.1', { intensity: 'intrusive' }));
    const runner = tenantCaller('acme', ['scan:read', 'scan:run']);
    await expect(lab.app.scans.deadLetters.retry(scanId, askOf(runner))).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('scan:intrusive'),
    });
    expect((await lab.app.audit.tail(1))[0]).toMatchObject({
      action: 'refuse',
      decision: 'forbidden',
      detail: { call: 'dead_letter_retry', lacks: ['scan:intrusive'] },
    });
    expect(await lab.app.queue.get('acme', scanId)).toMatchObject({ state: 'failed' });
    const able = tenantCaller('acme', ['scan:run', 'scan:intrusive']);
    expect(await lab.app.scans.deadLetters.retry(scanId, askOf(able))).toMatchObject({ state: 'queued' });
  });

  it('of a scan with a login takes the right to use one', async () => {
    const lab = await tenantsLab(filesWith());
    const { request } = (await lab.app.queue.get('acme', await deadLetter(lab, target('127.0.0.1')))) ?? {};
    if (!request) throw new Error('no scan');
    const login = { ...request, access: 'authenticated', credential_ref: 'lab', privilege: 'user' } as const;
    const scan = {
      scanId: newScanId(),
      tenant: 'acme',
      traceId: newTraceId(),
      engine: 'baseline',
      requestHash: 'other',
    };
    await lab.app.queue.submit({ ...scan, request: login });
    await failed(lab, scan.scanId);
    await expect(
      lab.app.scans.deadLetters.retry(scan.scanId, askOf(tenantCaller('acme', ['scan:run', 'scan:intrusive']))),
    ).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('credential:use') });
  });

  it('counts as one of the active scans, also of those tried again at once', async () => {
    const lab = await tenantsLab(filesWith('limits: { active_scans: 2 }\n'));
    const dead: string[] = [];
    for (const host of [1, 2, 3, 4]) dead.push(await deadLetter(lab, target(`127.0.0.${host}`)));
    const ask = askOf(tenantCaller('acme'));
    const retry = (scanId: string) =>
      lab.app.scans.deadLetters.retry(scanId, ask).then(
        ({ state }) => String(state),
        (error: unknown) => errorFacts(error).code,
      );
    const answers = await Promise.all(dead.map(retry));
    expect(answers.toSorted()).toEqual(['queued', 'queued', 'quota_exceeded', 'quota_exceeded']);
    expect(await lab.app.audit.tail(9)).toContainEqual(
      expect.objectContaining({ action: 'refuse', decision: 'quota_exceeded', scanId: dead[2] }),
    );
    await expect(lab.app.scans.submit(target('127.0.0.9'), ask)).rejects.toMatchObject({ code: 'quota_exceeded' });
    const operator = askOf(tenantCaller('acme', ['admin']));
    expect(await lab.app.scans.deadLetters.retry(dead[3] ?? '', operator)).toMatchObject({ state: 'queued' });
  });

  it('counts its addresses against those of the day', async () => {
    const lab = await tenantsLab(filesWith('limits: { hosts_per_day: 600 }\n'));
    const scanId = await deadLetter(lab, target('127.0.1.0/24'));
    const ask = askOf(tenantCaller('acme'));
    await lab.app.scans.deadLetters.retry(scanId, ask);
    await failed(lab, scanId);
    await expect(lab.app.scans.deadLetters.retry(scanId, ask)).rejects.toMatchObject({ code: 'quota_exceeded' });
    expect(await lab.app.queue.get('acme', scanId)).toMatchObject({ state: 'failed' });
  });
});
