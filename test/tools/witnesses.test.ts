import { describe, expect, it } from 'vitest';
import { FindingAnswer } from '../../src/model/contract/results.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { END, found, host, placed } from '../findings/reports.ts';
import { finishedScan, type Finished } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const CVE = 'CVE-2021-44228';
const weak = (over = {}) => found({ rule_id: 'log4shell', cves: [CVE], ...over });

function scansOf({ app, data }: Wire) {
  return async (events: readonly ReportEvent[], over: Finished = {}): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, 3));
    return finishedScan({ queue: app.queue, data }, [placed('10.0.0.1', 'tested'), ...events, END], over);
  };
}

const finding = async ({ ok }: Wire, id: string, over = {}) =>
  FindingAnswer.parse(await ok('get_finding', { finding_id: id, ...over }));

describe('get_finding', () => {
  it('names the same CVE at the same place in the newest scan of each other engine', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([weak({ rule_id: 'nvt' })], { engine: 'openvas' });
    const newest = await scan([found(), weak({ rule_id: 'nvt', severity: 'critical' })], { engine: 'openvas' });
    const trivy = await scan([weak({ location: { ip: '10.0.0.1', port: 81 } })], { engine: 'zap' });
    const mine = await scan([weak()]);
    const { witnesses } = await finding(room, `${mine}.1`);
    expect(witnesses).toEqual([
      { scan_id: newest, engine: 'openvas', finding_id: `${newest}.1`, severity: 'critical' },
    ]);
    expect((await finding(room, `${trivy}.1`)).witnesses).toBeUndefined();
    expect((await finding(room, `${newest}.2`)).witnesses).toBeUndefined();
  });

  it('knows a host by name and by address', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const byName = await scan([weak()], { engine: 'openvas', targets: [host('app.test', '10.0.0.1')] });
    const byAddress = await scan([weak()]);
    expect((await finding(room, `${byName}.1`)).witnesses).toMatchObject([{ scan_id: byAddress }]);
  });

  it('does not lose a witness to a newer look at another name of the address', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const at = (name: string) => ({ location: { host: name, ip: '10.0.0.1', port: 80 } });
    const targets = (name: string) => [host(name, '10.0.0.1')];
    const same = await scan([weak(at('a.test'))], { engine: 'openvas', targets: targets('a.test') });
    await scan([weak(at('b.test'))], { engine: 'openvas', targets: targets('b.test') });
    const mine = await scan([weak(at('a.test'))], { targets: targets('a.test') });
    expect((await finding(room, `${mine}.1`)).witnesses).toMatchObject([{ scan_id: same }]);
  });

  it('tells in which earlier scans of its engine it was there', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const [first, second] = [await scan([weak()]), await scan([])];
    await scan([weak()], { engine: 'openvas' });
    await scan([weak()], { tenant: 'other' });
    await scan([], { targets: [host('else.test', '10.0.0.9')] });
    const mine = await scan([weak()]);
    await scan([weak()]);
    expect((await finding(room, `${mine}.1`)).history).toEqual([
      { scan_id: second, finished_at: expect.any(String), present: false },
      { scan_id: first, finished_at: expect.any(String), present: true },
    ]);
  });

  it('keeps its budget with many scans before it', async () => {
    const room = await wire();
    const scan = scansOf(room);
    for (let n = 0; n < 12; n += 1) await scan([weak()]);
    const mine = await scan([weak({ untrusted: { output: 'x'.repeat(5_000) } })]);
    const { history = [] } = await finding(room, `${mine}.1`, { max_tokens: 4_000 });
    expect(history).toHaveLength(10);
    const small = await finding(room, `${mine}.1`, { max_tokens: 500 });
    expect(small.history?.length).toBeLessThan(5);
    expect(small.history?.length).toBeGreaterThan(0);
  });
});
