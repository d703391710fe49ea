import { describe, expect, it } from 'vitest';
import type { PinnedTarget } from '../../src/model/target.ts';
import { comparing, type Told } from './compared.ts';
import { address, END, found, host, placed } from './reports.ts';

const NAME = host('app.test', '10.0.0.1');
const ADDRESS = address('10.0.0.1');
/** Findings at the address then have the name. */
const BOTH = [NAME, ADDRESS];

const WEAK = found({ rule_id: 'weak' });
const PAGE = found({ rule_id: 'page', location: { ip: '10.0.0.1', port: 80, url: 'http://10.0.0.1/' } });
const OTHER = found({ rule_id: 'other' });

const scan = (targets: readonly PinnedTarget[], ...events: Told['events']): Told => ({
  events: [
    { kind: 'scope', scope: { tcpPorts: 'all', families: ['*'] } },
    placed('10.0.0.1', 'tested'),
    ...events,
    END,
  ],
  targets,
});

async function fate(head: Told, base: Told): Promise<unknown[]> {
  const lab = await comparing();
  const { findings } = await lab.compare(await lab.scan(head), await lab.scan(base));
  return findings.map(({ change }) => change);
}

describe('an address that one of two scans also asked for by name', () => {
  it('has nothing new that the scan of both had found under the name', async () => {
    expect(await fate(scan([ADDRESS], WEAK), scan(BOTH, WEAK))).toEqual(['newly_visible', 'not_observed']);
  });

  it('has nothing fixed that the scan of both found again under the name', async () => {
    expect(await fate(scan(BOTH, WEAK), scan([ADDRESS], WEAK))).toEqual(['newly_visible', 'not_observed']);
    expect(await fate(scan(BOTH, OTHER), scan([ADDRESS], WEAK))).not.toContain('fixed');
  });

  it('is free of what was found when the scan of both found nothing there', async () => {
    expect(await fate(scan(BOTH), scan([ADDRESS], WEAK))).toEqual(['fixed']);
  });

  it('keeps its pages when only the name is scanned again', async () => {
    expect(await fate(scan([NAME]), scan(BOTH, PAGE))).toEqual(['not_observed']);
    expect(await fate(scan([NAME], PAGE), scan(BOTH))).toEqual(['new']);
  });

  it('is not told to have been without a finding before', async () => {
    const { store, scan: ingest } = await comparing();
    const presence = async (told: Told) => {
      const { file } = await ingest(told);
      return store.presence({ file, fingerprint: '0'.repeat(32), labels: ['10.0.0.1'] });
    };
    expect(await presence(scan(BOTH, WEAK))).toEqual({ present: false, looked: false });
    expect(await presence(scan(BOTH))).toEqual({ present: false, looked: true });
    expect(await presence(scan([ADDRESS], WEAK))).toEqual({ present: false, looked: true });
  });

  it('is compared as ever when both scans asked for both', async () => {
    expect(await fate(scan(BOTH, PAGE), scan(BOTH, PAGE, WEAK))).toEqual(['fixed', 'persisting']);
    expect(await fate(scan(BOTH, WEAK), scan(BOTH, PAGE, WEAK))).toEqual(['fixed', 'persisting']);
    expect(await fate(scan(BOTH, WEAK, PAGE), scan(BOTH, WEAK))).toEqual(['new', 'persisting']);
  });
});
