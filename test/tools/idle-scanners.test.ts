import { describe, expect, it } from 'vitest';
import type { ScannerHealth } from '../../src/model/capability.ts';
import { identityText, ownIdentity } from '../../src/platform/process-identity.ts';
import { loginEngine } from './login-engine.ts';
import { wire } from './wire.ts';

const SCANNERS = `
nessus:
  - { instance_id: a, name: A }
  - { instance_id: b, name: B, label: leaks }
`;
const AWAY: ScannerHealth = { status: 'unhealthy', canLaunch: false, why: 'The scanner refused the login.' };
const WELL: ScannerHealth = { status: 'healthy', canLaunch: true };
const RUN = { targets: ['127.0.0.1'], scanner_pool: 'nessus' };

/** @param second health of the second instance */
const wired = async (second: ScannerHealth) => {
  const { type } = loginEngine();
  const sick: typeof type = {
    ...type,
    create: (settings) => ({
      ...type.create(settings),
      probe: async () => (settings.label === 'leaks' ? second : AWAY),
    }),
  };
  return wire({ 'scanners.yaml': SCANNERS }, { engines: { nessus: sick } });
};

describe('a pool whose scanners cannot work', () => {
  it('still takes scans, and says why they will wait', async () => {
    const { ok } = await wired(AWAY);
    const made = await ok('run_untrusted_scan', RUN);
    expect(made).toMatchObject({ state: 'queued' });
    expect(made['summary']).toContain(
      'no scanner of its pool can start scans now: a: The scanner refused the login; b: The scanner refused the login.',
    );
    expect((await ok('plan_scan', RUN))['summary']).toContain('a: The scanner refused the login');
  });

  it('says nothing of the kind while one of them can', async () => {
    const { ok } = await wired(WELL);
    expect((await ok('run_untrusted_scan', RUN))['summary']).not.toContain('refused the login');
    expect((await ok('plan_scan', RUN))['summary']).toContain('is allowed and would cover');
  });

  it('is named by get_scan_status, as the worker last saw it', async () => {
    const { ok, app } = await wired(AWAY);
    const made = await ok('run_untrusted_scan', RUN);
    await app.queue.heartbeat(identityText(ownIdentity()));
    await app.queue.putInstanceHealth('nessus', 'a', AWAY);
    await app.queue.putInstanceHealth('nessus', 'b', { ...WELL, circuit: 'open' });
    const status = await ok('get_scan_status', { scan_id: made['scan_id'] });
    expect(status).toMatchObject({ waiting_for: 'scanner' });
    expect(status['summary']).toContain('cannot start scans now: a: The scanner refused the login; b: It failed');
    await app.queue.putInstanceHealth('nessus', 'b', WELL);
    expect(await ok('get_scan_status', { scan_id: made['scan_id'] })).toMatchObject({ waiting_for: 'slot' });
  });
});
