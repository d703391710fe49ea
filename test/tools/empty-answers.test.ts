import { describe, expect, it } from 'vitest';
import { address, END, found, placed } from '../findings/reports.ts';
import { nmapXml } from '../scans/nmap-xml.ts';
import { finishedScan } from './finished-scan.ts';
import { wire } from './wire.ts';

async function scanned() {
  const { app, data, ok } = await wire();
  const events = [
    placed('10.0.0.1', 'tested'),
    placed('10.0.0.2', 'unreachable', 'nothing answered'),
    found({ cves: ['CVE-2010-2075'], location: { ip: '10.0.0.1', port: 6667 } }),
    found({ rule_id: 'other', location: { ip: '10.0.0.1', port: 80 } }),
    END,
  ];
  const targets = [address('10.0.0.1'), address('10.0.0.2')];
  const scanId = await finishedScan({ queue: app.queue, data }, events, { targets });
  return { ok, results: (filters: object) => ok('get_scan_results', { scan_id: scanId, ...filters }) };
}

describe('an answer without findings', () => {
  it('tells a suppressed match from none', async () => {
    const { ok, results } = await scanned();
    const [one] = [(await results({ cve: 'CVE-2010-2075', fields: ['finding_id'] }))['findings']].flat();
    const id = typeof one === 'object' && one !== null && 'finding_id' in one ? one.finding_id : '';
    await ok('suppress_finding', { finding_id: id, status: 'accepted_risk', reason: 'known' });
    const hidden = await results({ cve: 'CVE-2010-2075' });
    expect(hidden).toMatchObject({ total: 0, suppressed: { by_severity: { medium: 1 } } });
    expect(hidden['summary']).toMatch(/0 of 1 findings match the filters\. 1 more that matches is suppressed/);
    expect(hidden['summary']).not.toMatch(/proves nothing/);
    expect((await results({ cve: 'CVE-1999-9999' }))['summary']).toMatch(/That proves nothing/);
  });

  it.each([
    ['10.0.0.99', /not among the places of this scan/],
    ['elsewhere.test', /not among the places of this scan/],
    ['10.0.0.2', /That host was not looked at; see untested/],
  ])('says of %s that nobody looked there', async (host, words) => {
    const { results } = await scanned();
    expect((await results({ host }))['summary']).toMatch(words);
  });

  it('says nothing of the kind about a host that was looked at', async () => {
    const { results } = await scanned();
    expect((await results({ host: '10.0.0.1', port: 4_711 }))['summary']).toMatch(/not looked for; see coverage\./);
  });
});

describe('an answer with findings', () => {
  it.each([
    [{}, /Next: get_finding has one in full\.$/],
    [{ group_by: 'host' }, /Next: host takes a key, for the findings of its group\.$/],
    [{ group_by: 'rule' }, /Next: rule_id takes a key/],
    [{ group_by: 'solution' }, /Next: get_finding with a sample_finding_id\.$/],
  ])('to %o names the next step', async (asked, words) => {
    const { results } = await scanned();
    expect((await results(asked))['summary']).toMatch(words);
  });

  it('takes what it groups hosts by as host', async () => {
    const { ok } = await wire();
    const { scan_id: scanId } = await ok('import_report', {
      content: nmapXml([{ address: '127.0.0.1', ports: [22, 80] }]),
    });
    const { groups } = await ok('get_scan_results', { scan_id: scanId, group_by: 'host' });
    const [group] = [groups].flat();
    const key = typeof group === 'object' && group !== null && 'key' in group ? group.key : '';
    expect(await ok('get_scan_results', { scan_id: scanId, host: key })).toMatchObject({ total: 2 });
  });
});
