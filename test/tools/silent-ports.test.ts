import { expect, it } from 'vitest';
import { wire } from './wire.ts';

const SCRIPT = 'http-vuln-cve2017-5638';
const VULNERABLE =
  `<script id="${SCRIPT}" output="VULNERABLE"><table key="CVE-2017-5638"><elem key="title">Struts</elem>` +
  `<elem key="state">VULNERABLE</elem><table key="ids"><elem>CVE:CVE-2017-5638</elem></table></table></script>`;

const report = (state: string, script = ''): string =>
  `<?xml version="1.0"?><nmaprun scanner="nmap" args="nmap -sT --script ${SCRIPT} -p 22,80 127.0.0.1" start="1700000000" version="7.94">` +
  `<scaninfo type="connect" protocol="tcp" numservices="2" services="22,80"/><host><status state="up"/>` +
  `<address addr="127.0.0.1" addrtype="ipv4"/><ports><port protocol="tcp" portid="22"><state state="open"/></port>` +
  `<port protocol="tcp" portid="80"><state state="${state}"/>${script}</port></ports></host>` +
  `<runstats><finished time="1700000060" exit="success"/></runstats></nmaprun>`;

it.each([
  ['filtered', 0, 'cannot_tell'],
  ['open|filtered', 0, 'cannot_tell'],
  ['closed', 2, 'not_found'],
])('a port that is %s now proves as much as it answered', async (state, fixed, answer) => {
  const { ok } = await wire();
  const base = (
    await ok('import_report', { content: report('open', VULNERABLE).replaceAll('"17000000', '"16000000') })
  )['scan_id'];
  const head = (await ok('import_report', { content: report(state) }))['scan_id'];
  expect(await ok('compare_scans', { base_scan_id: base, head_scan_id: head })).toMatchObject({ counts: { fixed } });
  expect(await ok('search_findings', { cve: 'CVE-2017-5638', port: 80 })).toMatchObject({ answer });
});
