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

/** Submits a scan of somebody with every right and lets it fail for good. */
async function deadLetter({ app }: TenantsLab, input: PlanInput, caller = tenantCaller('acme')): Promise<string> {
  const { scan_id: scanId } = await app.scans.submit(input, askOf(caller));
  const claim = await app.queue.claim('worker', [{ pool: 'baseline', instance: 'one', limit: 99 }]);
  if (claim?.scan.scanId !== scanId) throw new Error('another scan was waiting');
  await app.queue.finish(claim, { kind: 'failed', error: ERROR });
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
});
