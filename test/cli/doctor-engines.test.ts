import { ALL_SCOPES } from '../../src/model/caller.ts';
import { describe, expect, it } from 'vitest';
import { examineEngines } from '../../src/cli/doctor/parts.ts';
import type { ScannerHealth } from '../../src/model/capability.ts';
import { newTraceId } from '../../src/model/ids.ts';
import { loginEngine } from '../tools/login-engine.ts';
import { wire } from '../tools/wire.ts';

async function examined(health: ScannerHealth) {
  const { type } = loginEngine();
  const engine: typeof type = {
    ...type,
    create: (settings) => ({ ...type.create(settings), probe: async () => health }),
  };
  const { app } = await wire(
    { 'scanners.yaml': 'nessus:\n  - { instance_id: a, name: A }\n' },
    { engines: { nessus: engine } },
  );
  const ask = () => ({
    caller: { tenant: 'local', name: 'cli', isOperator: true, scopes: ALL_SCOPES },
    traceId: newTraceId(),
    signal: new AbortController().signal,
  });
  return examineEngines(app, { ask });
}

const FACTS = { version: '10.8.4', edition: 'Nessus Professional' };

describe('the doctor about a scanner', () => {
  it('warns, and does not fail, where the licence is for import only', async () => {
    const why = 'Nessus Professional does not allow starting scans. Import them.';
    const health = {
      ...FACTS,
      status: 'healthy',
      canLaunch: false,
      refusal: 'scanner_edition_forbids_api',
      why,
    } as const;
    expect(await examined(health)).toEqual([
      {
        level: 'warn',
        subject: 'engine',
        said: 'nessus/a: nessus 10.8.4 (Nessus Professional), healthy; for import only, it starts no scans.',
        fix: why,
      },
    ]);
  });

  it('fails where it is away or refuses the login', async () => {
    const health = { status: 'unhealthy', canLaunch: false, why: 'The scanner refused the login.' } as const;
    expect(await examined(health)).toMatchObject([{ level: 'fail', fix: 'The scanner refused the login.' }]);
  });

  it('is content with one that starts scans, and names its edition', async () => {
    const health = { version: '10.8.4', edition: 'Nessus Manager', status: 'healthy', canLaunch: true } as const;
    expect(await examined(health)).toEqual([
      { level: 'ok', subject: 'engine', said: 'nessus/a: nessus 10.8.4 (Nessus Manager), healthy' },
    ]);
  });
});
