import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/model/contract/compare.ts';
import type { ReportEvent, ReportScope } from '../../src/model/report.ts';
import { comparing, type Told } from './compared.ts';
import { address, END, found, host, placed } from './reports.ts';

const TESTED = placed('10.0.0.1', 'tested');
const scope = (over: ReportScope = { tcpPorts: 'all', families: ['*'] }): ReportEvent => ({
  kind: 'scope',
  scope: over,
});
const WEAK = found({ rule_id: 'weak', rule_family: 'web' });

/** A scan that looked everywhere for everything. */
const full = (...events: ReportEvent[]): Told => ({ events: [scope(), TESTED, ...events, END] });

/** What becomes of the one finding of the base when the head is as told, and the other way round. */
async function fate(head: Told, base: Told): Promise<unknown[]> {
  const { scan, compare } = await comparing();
  const { counts, findings } = await compare(await scan(head), await scan(base));
  expect(findings.length).toBe(Object.values(counts).reduce((sum, n) => sum + n, 0));
  return findings.map(({ change }) => change);
}

describe('a finding that is only in the earlier scan', () => {
  it('is fixed when the later one looked again', async () => {
    expect(await fate(full(), full(WEAK))).toEqual(['fixed']);
  });

  it.each<[string, Told]>([
    ['nothing is said of what was looked for', { events: [TESTED, END] }],
    ['the host did not answer', { events: [scope(), placed('10.0.0.1', 'unreachable'), END] }],
    ['the host was only looked at in part', { events: [scope(), placed('10.0.0.1', 'partial'), END] }],
    ['nothing is said of the host', { events: [scope(), END] }],
    [
      'another host was asked for',
      { events: [scope(), placed('10.0.0.2', 'tested'), END], targets: [address('10.0.0.2')] },
    ],
    ['the port was not tried', { events: [scope({ tcpPorts: '1-79,443', families: ['*'] }), TESTED, END] }],
    ['the port was tried by another protocol', { events: [scope({ udpPorts: 'all', families: ['*'] }), TESTED, END] }],
    ['no ports are named', { events: [scope({ families: ['*'] }), TESTED, END] }],
    ['checks of its family did not run', { events: [scope({ tcpPorts: 'all', families: ['ssl'] }), TESTED, END] }],
    ['its check alone did not run', { events: [scope(), scope({ rulesNotRun: ['weak'] }), TESTED, END] }],
    ['the report has no end', { events: [scope(), TESTED] }],
    ['the engine was cut short', { ...full(), facts: { endedWhole: false } }],
    ['checks of its severity were not asked for', { ...full(), facts: { severityLevels: ['critical'] } }],
    [
      'only findings speak of the host',
      { events: [scope(), found({ rule_id: 'other' }), END], targets: 'as_reported' },
    ],
  ])('is not observed when %s', async (_why, head) => {
    expect(await fate(head, full(WEAK))).toContain('not_observed');
  });

  it('is fixed when its port holds other findings: it was tried', async () => {
    const noPorts = scope({ families: ['*'] });
    const at = (location: object) => found({ rule_id: 'other', rule_family: 'web', location: { ...location } });
    const head = (location: object): Told => ({ events: [noPorts, TESTED, at(location), END] });
    expect(await fate(head({ ip: '10.0.0.1', port: 80, protocol: 'tcp' }), full(WEAK))).toContain('fixed');
    expect(await fate(head({ ip: '10.0.0.1', port: 80 }), full(WEAK))).toContain('fixed');
    expect(await fate(head({ ip: '10.0.0.1', port: 80, protocol: 'udp' }), full(WEAK))).toContain('not_observed');
    expect(await fate(head({ ip: '10.0.0.1', port: 81, protocol: 'tcp' }), full(WEAK))).toContain('not_observed');
    expect(await fate(head({ ip: '10.0.0.1' }), full(WEAK))).toContain('not_observed');
    expect(await fate(head({ ip: '10.0.0.2', port: 80, protocol: 'tcp' }), full(WEAK))).toContain('not_observed');
  });

  it('is told from findings of another protocol at its port, however many there are', async () => {
    const at = (rule: string, protocol: string) =>
      found({ rule_id: rule, rule_family: 'web', location: { ip: '10.0.0.1', port: 80, protocol } });
    const many = Array.from({ length: 5 }, (_, rule) => at(`t${rule}`, 'tcp'));
    const head = (...events: ReportEvent[]): Told => ({
      events: [scope({ families: ['*'] }), TESTED, ...many, ...events, END],
    });
    const base = full(...many, at('goes', 'udp'));
    expect(await fate(head(), base)).toContain('not_observed');
    expect(await fate(head(at('stays', 'udp')), base)).toContain('fixed');
  });

  it('is fixed when both scans tried the same list of ports that neither spells out', async () => {
    const list = (over: ReportScope = {}, ...events: ReportEvent[]): Told => ({
      events: [scope({ families: ['*'], tcpPortList: 'default', ...over }), TESTED, ...events, END],
    });
    expect(await fate(list(), list({}, WEAK))).toEqual(['fixed']);
    expect(await fate(list({}, WEAK), list())).toEqual(['new']);
    expect(await fate(list({ tcpPorts: '9000' }), list({}, WEAK))).toEqual(['fixed']);
    expect(await fate(list(), list({ tcpPorts: '9000' }, WEAK))).toEqual(['fixed']);
    // Found by the port that was named besides.
    expect(await fate(list(), list({ tcpPorts: '80' }, WEAK))).toEqual(['not_observed']);
    expect(await fate(list({ tcpPortList: 'other' }), list({}, WEAK))).toEqual(['not_observed']);
    expect(await fate(list(), full(WEAK))).toEqual(['not_observed']);
    const onUdp = found({ rule_family: 'web', location: { ip: '10.0.0.1', port: 80, protocol: 'udp' } });
    expect(await fate(list(), list({}, onUdp))).toEqual(['not_observed']);
    expect(await fate(list({ udpPortList: 'default' }), list({ udpPortList: 'default' }, onUdp))).toEqual(['fixed']);
    const place = { place: '10.0.0.2' };
    expect(await fate(list(), list(place, WEAK))).toEqual(['not_observed']);
  });

  it('is fixed when its port answered that it is closed, whether or not its check then ran', async () => {
    const told = (over: ReportScope, ...events: ReportEvent[]): Told => ({
      events: [scope({ families: ['ports'], portsAnswered: true, ...over }), TESTED, ...events, END],
      engine: 'nmap',
    });
    const OPEN = found({ rule_id: 'nmap:port-open', rule_family: 'ports' });
    const SCRIPT = found({ rule_id: 'nse:banner', rule_family: 'nse:other' });
    const base = told({ tcpPorts: 'all' }, OPEN, SCRIPT);
    expect(await fate(told({ tcpPorts: '80' }), base)).toEqual(['fixed', 'fixed']);
    // Silent: a filter may stand before it.
    expect(await fate(told({ tcpPorts: '81' }), base)).toEqual(['not_observed', 'not_observed']);
    expect(await fate(told({ tcpPorts: '80', portsAnswered: false }), base)).toEqual(['fixed', 'not_observed']);
    // Still open: the script may not have been asked for.
    expect(await fate(told({ tcpPorts: '80' }, OPEN), base)).toEqual(['not_observed', 'persisting']);
    const udp = { ip: '10.0.0.1', port: 80, protocol: 'udp' };
    expect(await fate(told({ tcpPorts: '80' }, found({ rule_id: 'o', location: udp })), base)).toContain('fixed');
    expect(await fate(told({ udpPorts: '80' }), base)).toEqual(['not_observed', 'not_observed']);
    expect(await fate(base, told({ tcpPorts: '80' }))).toEqual(['new', 'new']);
  });

  it('is not at a closed port when the later report has findings there under another name', async () => {
    const events = [scope({ families: ['ports'], tcpPorts: '80', portsAnswered: true }), TESTED];
    const named = { host: 'app.test', ip: '10.0.0.1', port: 80, protocol: 'tcp' };
    const head: Told = { events: [...events, found({ rule_id: 'x', location: named }), END], targets: 'as_reported' };
    expect(await fate(head, full(WEAK))).not.toContain('fixed');
  });

  it('does not persist when the later report lists it as gone', async () => {
    const gone = found({ rule_id: 'weak', rule_family: 'web', report_state: 'baseline: absent' });
    const sarif = (event: ReportEvent): Told => ({ ...full(event), engine: 'sarif' });
    expect(await fate(sarif(gone), sarif(WEAK))).toEqual(['fixed']);
    expect(await fate({ events: [TESTED, gone, END], engine: 'sarif' }, sarif(WEAK))).toEqual(['not_observed']);
    expect(await fate(sarif(gone), sarif(gone))).toEqual([]);
  });

  it('lies at a URL, and is only fixed when the later look was as hard: a gentler one asks for fewer paths', async () => {
    const page = found({ rule_family: 'web', location: { ip: '10.0.0.1', port: 80, url: 'http://10.0.0.1/.env.bak' } });
    const base = { ...full(page, WEAK), facts: { intensity: 'intrusive' } as const };
    const head = (intensity: 'standard' | 'intrusive'): Told => ({ ...full(), facts: { intensity } });
    expect(await fate(head('intrusive'), base)).toEqual(['fixed', 'fixed']);
    expect(await fate(head('standard'), base)).toEqual(['fixed', 'not_observed']);
  });

  it('is fixed when its port and family are named one by one, and its host alone', async () => {
    const head = {
      events: [
        scope({ place: '10.0.0.1', tcpPorts: '80' }),
        scope({ place: '10.0.0.1', rules: ['weak'] }),
        placed('10.0.0.1', 'partial'),
        END,
      ],
    };
    expect(await fate(head, full(WEAK))).toEqual(['fixed']);
  });

  it('needs no port where it has none', async () => {
    const onHost = found({ rule_id: 'weak', rule_family: 'web', location: { ip: '10.0.0.1' } });
    expect(await fate({ events: [scope({ families: ['web'] }), TESTED, END] }, full(onHost))).toEqual(['fixed']);
  });

  it('asks for UDP where it lies on a UDP port', async () => {
    const onUdp = found({ rule_family: 'web', location: { ip: '10.0.0.1', port: 161, protocol: 'udp' } });
    const looked = (over: ReportScope) => ({ events: [scope({ families: ['*'], ...over }), TESTED, END] });
    expect(await fate(looked({ tcpPorts: 'all' }), full(onUdp))).toEqual(['not_observed']);
    expect(await fate(looked({ udpPorts: '161' }), full(onUdp))).toEqual(['fixed']);
  });
});

describe('a finding that is only in the later scan', () => {
  it('is new when the earlier one had looked there, else newly visible', async () => {
    expect(await fate(full(WEAK), full())).toEqual(['new']);
    expect(await fate(full(WEAK), { events: [scope({ tcpPorts: '443', families: ['*'] }), TESTED, END] })).toEqual([
      'newly_visible',
    ]);
  });
});

describe('an engine that was set up otherwise', () => {
  const set = (over: ReportScope, ...events: ReportEvent[]): Told => full({ kind: 'scope', scope: over }, ...events);
  const [older, newer] = [{ rulesAsOf: '2026-01-01T00:00:00Z' }, { rulesAsOf: '2026-01-02T00:00:00.000Z' }];

  it('to report more is not disproven by one that was not', async () => {
    expect(await fate(full(), set({ reportsMore: true }, WEAK))).toEqual(['not_observed']);
    expect(await fate(set({ reportsMore: true }, WEAK), full())).toEqual(['newly_visible']);
    expect(await fate(set({ reportsMore: true }), full(WEAK))).toEqual(['fixed']);
  });

  it('or knew more is not disproven by one that knew less', async () => {
    expect(await fate(set(older), set(newer, WEAK))).toEqual(['not_observed']);
    expect(await fate(set(newer), set(older, WEAK))).toEqual(['fixed']);
    expect(await fate(set(newer), set(newer, WEAK))).toEqual(['fixed']);
    expect(await fate(set(newer, WEAK), set(older))).toEqual(['newly_visible']);
    expect(await fate(full(), set(older, WEAK))).toEqual(['not_observed']);
    expect(await fate(set(older), full(WEAK))).toEqual(['fixed']);
  });
});

describe('a login', () => {
  const loggedIn = (login?: 'success' | 'partial' | 'failed', ...events: ReportEvent[]): Told => ({
    events: [
      scope(),
      { kind: 'place', place: { place: '10.0.0.1', status: 'tested', ...(login === undefined ? {} : { login }) } },
      ...events,
      END,
    ],
    facts: { access: 'authenticated' },
  });

  it.each<[Told, Told, Change]>([
    [loggedIn('success'), loggedIn('success', WEAK), 'fixed'],
    [loggedIn('success'), full(WEAK), 'fixed'],
    [loggedIn('partial'), loggedIn('success', WEAK), 'not_observed'],
    [loggedIn('failed'), loggedIn('success', WEAK), 'not_observed'],
    [full(), loggedIn('success', WEAK), 'not_observed'],
    [full(), loggedIn('failed', WEAK), 'fixed'],
    [loggedIn('failed'), full(WEAK), 'fixed'],
    [
      { ...loggedIn('success'), facts: { access: 'authenticated', privilege: 'user' } },
      { ...loggedIn('success', WEAK), facts: { access: 'authenticated', privilege: 'elevated' } },
      'not_observed',
    ],
    [loggedIn('success', WEAK), full(), 'newly_visible'],
  ])('%#: must have come as far as the one before', async (head, base, change) => {
    expect(await fate(head, base)).toEqual([change]);
  });
});

describe('names, addresses and URLs', () => {
  const named = host('app.test', '10.0.0.1');

  it('do not take a host by its address for the same host by its name', async () => {
    const byName = { ...full(WEAK), targets: [named] };
    expect(await fate(full(WEAK), byName)).toEqual(['newly_visible', 'not_observed']);
  });

  it('do where a report lists hosts by address and names them the same', async () => {
    const on = (rule: string) => found({ rule_id: rule, location: { host: 'app.test', ip: '10.0.0.1', port: 80 } });
    const report = (...rules: string[]): Told => ({ ...full(...rules.map(on)), targets: 'as_reported' });
    expect(await fate(report('stays'), report('stays', 'goes'))).toEqual(['fixed', 'persisting']);
  });

  const url = (text: string) => ({
    target: { kind: 'url', text, scheme: 'http', host: '10.0.0.1', isAddress: true, port: 80, path: '/' } as const,
    addresses: ['10.0.0.1'],
  });
  const page = found({ rule_id: 'page', location: { ip: '10.0.0.1', port: 80, url: 'http://10.0.0.1/app/login' } });
  const web = (place: string, ...events: ReportEvent[]): Told => ({
    events: [scope({ families: ['*'] }), scope({ rules: ['page'] }), placed(place, 'tested'), ...events, END],
    targets: [url(place)],
  });

  it('prove a page by the URL it lies under, or by the very same target', async () => {
    const base = web('http://10.0.0.1/app', page);
    expect(await fate(web('http://10.0.0.1/app'), base)).toEqual(['fixed']);
    expect(await fate(web('http://10.0.0.1/'), base)).toEqual(['fixed']);
    expect(await fate(web('http://10.0.0.1/other'), base)).toEqual(['not_observed']);
    expect(await fate(web('http://10.0.0.1/ap'), base)).toEqual(['not_observed']);
    expect(await fate(web('http://10.0.0.1:8080/app'), base)).toEqual(['not_observed']);
  });

  it('do not prove a page by a look at its host alone', async () => {
    expect(await fate(full(), web('http://10.0.0.1/app', page))).toEqual(['not_observed']);
    expect(await fate(full(), full(page))).toEqual(['fixed']);
  });
});

describe('what changed', () => {
  it('is told for severity, scores, KEV, exploit and fix, and for nothing else', async () => {
    const { scan, compare } = await comparing();
    const before = found({
      rule_id: 'weak',
      severity: 'high',
      cvss: [{ version: '3.1', score: 7.5 }],
      title: 'Old words',
    });
    const after = found({
      rule_id: 'weak',
      severity: 'critical',
      cvss: [{ version: '3.1', score: 9.8 }],
      kev: true,
      exploit_available: true,
      solution: 'Update it.',
      title: 'New words',
    });
    const page = await compare(await scan(full(after)), await scan(full(before)));
    expect(page.counts).toMatchObject({ changed: 1, persisting: 0 });
    expect(page.findings).toMatchObject([
      {
        change: 'changed',
        changed: [
          'severity high -> critical',
          'cvss 7.5 -> 9.8',
          'kev no -> yes',
          'exploit no -> yes',
          'fix none -> available',
        ],
      },
    ]);
    const reworded = found({
      rule_id: 'weak',
      severity: 'high',
      cvss: [{ version: '3.1', score: 7.5 }],
      title: 'New words',
    });
    expect((await compare(await scan(full(reworded)), await scan(full(before)))).counts).toMatchObject({
      persisting: 1,
    });
  });

  it('is told however small the page is', async () => {
    const { scan, compare } = await comparing();
    const [before, after] = (['low', 'high'] as const).map((severity) =>
      found({ severity, title: 'Long words '.repeat(25), cves: ['CVE-2024-0001', 'CVE-2024-0002'] }),
    );
    if (!before || !after) throw new Error('no findings');
    const page = await compare(await scan(full(after)), await scan(full(before)), { max_tokens: 60 });
    expect(page.findings).toMatchObject([
      { change: 'changed', changed: ['severity low -> high'], severity: 'high', cut: expect.anything() },
    ]);
  });

  it('is told for the version a package is fixed in', async () => {
    const { scan, compare } = await comparing();
    const on = (fixed?: string) =>
      found({
        location: { image: 'app:1', package: 'openssl', ...(fixed === undefined ? {} : { fixed_version: fixed }) },
      });
    const page = await compare(await scan({ events: [on('3.0.2'), END] }), await scan({ events: [on(), END] }));
    expect(page.findings).toMatchObject([{ changed: ['fixed_version none -> 3.0.2'] }]);
  });
});

describe('two engines', () => {
  const cve = (id: string, port: number, over = {}) =>
    found({ rule_id: `r-${id}`, cves: [id], location: { ip: '10.0.0.1', port }, ...over });

  it('are compared by CVE and place, and prove nothing about each other', async () => {
    const { scan, compare } = await comparing();
    const head = await scan({
      ...full(cve('CVE-2024-0001', 80, { severity: 'critical' }), cve('CVE-2024-0002', 80), found({ rule_id: 'none' })),
      engine: 'nessus',
    });
    const base = await scan({
      ...full(cve('CVE-2024-0001', 80, { rule_id: 'x' }), cve('CVE-2024-0002', 443), cve('CVE-2024-0003', 80)),
      engine: 'openvas',
    });
    const page = await compare(head, base);
    expect(page.comparedBy).toBe('cve');
    expect(page.counts).toEqual({ new: 0, newly_visible: 1, changed: 0, fixed: 0, not_observed: 2, persisting: 1 });
    expect(page.notComparable).toEqual({ head: 1, base: 0 });
  });

  it('tell packages of an image apart where there is no port', async () => {
    const { scan, compare } = await comparing();
    const on = (name: string) => found({ cves: ['CVE-2024-0001'], location: { image: 'app:1', package: name } });
    const head = await scan({ events: [on('zlib'), END], engine: 'trivy' });
    const base = await scan({ events: [on('zlib'), on('openssl'), END], engine: 'grype' });
    expect((await compare(head, base)).counts).toMatchObject({ persisting: 1, not_observed: 1 });
  });
});

describe('suppressed findings', () => {
  it('are left out and counted, and shown when they are asked for', async () => {
    const { scan, compare } = await comparing();
    const [head, base] = [await scan(full(WEAK)), await scan(full(WEAK, found({ rule_id: 'gone' })))];
    const entry = { status: 'accepted_risk', reason: 'known', who: 'me', expiresAt: 2e12 } as const;
    const suppressions = { version: '1', entries: [{ engine: 'nessus', rule_id: 'weak', ...entry }] };
    const hidden = await compare(head, base, {}, suppressions);
    expect(hidden).toMatchObject({ suppressed: 1, counts: { persisting: 0, fixed: 1 } });
    const shown = await compare(head, base, { include_suppressed: true }, suppressions);
    expect(shown).toMatchObject({ suppressed: 1, counts: { persisting: 1, fixed: 1 } });
    expect(shown.findings).toHaveLength(2);
  });
});

describe('what a report repeats', () => {
  const seen = (output: string) => found({ rule_id: 'weak', rule_family: 'web', untrusted: { output } });

  const OUTPUTS = ['/a harmless', '/b x', '/c passwords'];

  it.each(OUTPUTS)('is not taken for %s when that one goes, nor hidden by a judgement on it', async (gone) => {
    const left = OUTPUTS.filter((output) => output !== gone);
    const { scan, compare, store } = await comparing();
    const base = await scan(full(...OUTPUTS.map(seen)));
    const head = await scan(full(...left.map(seen)));
    const all = await Promise.all([1, 2, 3].map((number) => store.get(base, number)));
    const fingerprint = all.find((finding) => finding?.untrusted.output === gone)?.fingerprint ?? '';
    const judged = { fingerprint, status: 'accepted_risk', reason: 'A test page.', who: 'local' } as const;
    const suppressions = { version: 'one', entries: [{ ...judged, expiresAt: 4e12 }] };
    const page = await compare(head, base, { include_suppressed: true }, suppressions);
    const outputs = await Promise.all(
      page.findings.map(async ({ change, finding_id: findingId }) => {
        const id = String(findingId);
        const ref = id.startsWith(head.scanId) ? head : base;
        return [String(change), (await store.get(ref, Number(id.split('.')[1])))?.untrusted.output] as const;
      }),
    );
    expect(new Map(outputs.map(([change, output]) => [output, change]))).toEqual(
      new Map([[gone, 'fixed'], ...left.map((output) => [output, 'persisting'] as const)]),
    );
    expect((await compare(head, base, {}, suppressions)).counts).toMatchObject({ fixed: 0, persisting: 2, new: 0 });
  });

  it('persists when only one of several is left, under another fingerprint', async () => {
    expect(await fate(full(seen('/b x')), full(seen('/a harmless'), seen('/b x')))).toEqual(['fixed', 'persisting']);
  });
});

describe('why nothing is proven', () => {
  const noPorts = scope({ families: ['*'] });
  const login = (outcome: 'failed' | 'success', ...events: ReportEvent[]): Told => ({
    events: [
      scope(),
      { kind: 'place', place: { place: '10.0.0.1', status: 'tested', login: outcome } },
      ...events,
      END,
    ],
  });
  const page = found({ rule_family: 'web', location: { ip: '10.0.0.1', port: 80, url: 'http://10.0.0.1/x' } });

  it.each<[string, Told, Told]>([
    ['ended', { ...full(), facts: { endedWhole: false } }, full(WEAK)],
    ['ended', { events: [scope(), TESTED] }, full(WEAK)],
    ['scope', { events: [TESTED, END] }, full(WEAK)],
    ['scope', { ...full(), facts: { severityLevels: ['critical'] } }, full(WEAK)],
    ['scope', full(), full(WEAK, scope({ reportsMore: true }))],
    ['host', { events: [scope(), placed('10.0.0.1', 'unreachable'), END] }, full(WEAK)],
    ['host', { events: [scope(), placed('10.0.0.1', 'partial'), END] }, full(WEAK)],
    ['host', { events: [scope(), END], targets: [address('10.0.0.2')] }, full(WEAK)],
    ['login', login('failed'), login('success', WEAK)],
    ['check', { events: [scope({ tcpPorts: 'all', families: ['ssl'] }), TESTED, END] }, full(WEAK)],
    ['port', { events: [noPorts, TESTED, END] }, full(WEAK)],
    ['page', { ...full(), facts: { intensity: 'light' } }, { ...full(page), facts: { intensity: 'intrusive' } }],
  ])('%s: %#', async (why, head, base) => {
    const { scan, compare } = await comparing();
    const { findings, lacks } = await compare(await scan(head), await scan(base));
    expect(findings.map((one) => [one['change'], one['why']])).toEqual([['not_observed', why]]);
    expect(lacks).toEqual({ newly_visible: {}, not_observed: { [why]: 1 } });
    const back = await compare(await scan(base), await scan(head));
    expect(back.findings.map((one) => [one['change'], one['why']])).toEqual([['newly_visible', why]]);
    expect(back.lacks).toEqual({ newly_visible: { [why]: 1 }, not_observed: {} });
  });

  it('is counted for the filters, without what is suppressed, and not said of what is proven', async () => {
    const { scan, compare } = await comparing();
    const at = (rule: string, port: number, over = {}) =>
      found({ rule_id: rule, rule_family: 'web', location: { ip: '10.0.0.1', port, protocol: 'tcp' }, ...over });
    const base = await scan(full(at('a', 80), at('b', 81), at('c', 82, { severity: 'high' }), at('d', 83)));
    const head = await scan({
      events: [scope({ families: ['web'], tcpPorts: '83' }), scope({ rulesNotRun: ['b'] }), TESTED, END],
    });
    expect((await compare(head, base)).lacks.not_observed).toEqual({ port: 2, check: 1 });
    expect((await compare(head, base, { filter: { min_severity: 'high' } })).lacks.not_observed).toEqual({ port: 1 });
    const { findings } = await compare(head, base);
    expect(findings.map((one) => [one['rule_id'], one['change'], one['why']])).toEqual(
      expect.arrayContaining([
        ['d', 'fixed', undefined],
        ['b', 'not_observed', 'check'],
      ]),
    );
  });
});

describe('scans without a place in common', () => {
  const at = (ip: string) =>
    found({ rule_id: 'weak', rule_family: 'web', location: { ip, port: 80, protocol: 'tcp' } });
  const of = (ip: string, ...events: ReportEvent[]): Told => ({
    events: [scope(), placed(ip, 'tested'), at(ip), ...events, END],
    targets: 'as_reported',
  });

  it('are told, and nothing of them is new or fixed', async () => {
    const { scan, compare } = await comparing();
    const page = await compare(await scan(of('10.0.0.1')), await scan(of('10.0.0.2')));
    expect(page).toMatchObject({
      sharesPlaces: false,
      counts: { new: 0, fixed: 0, newly_visible: 1, not_observed: 1 },
      lacks: { newly_visible: { host: 1 }, not_observed: { host: 1 } },
    });
  });

  it.each<[string, Told, Told]>([
    ['one host of several', of('10.0.0.1'), of('10.0.0.2', placed('10.0.0.1', 'unreachable'))],
    ['a host and a URL at it', of('10.0.0.1'), { events: [scope(), placed('http://10.0.0.1/x', 'tested'), END] }],
    ['only findings speak of it', of('10.0.0.1'), { events: [at('10.0.0.1'), END], targets: [] }],
    ['one says nowhere', of('10.0.0.1'), { events: [END], targets: 'as_reported' }],
  ])('are not those with %s', async (_what, head, base) => {
    const { scan, compare } = await comparing();
    const [one, other] = [await scan(head), await scan(base)];
    expect((await compare(one, other)).sharesPlaces).toBe(true);
    expect((await compare(other, one)).sharesPlaces).toBe(true);
  });
});
