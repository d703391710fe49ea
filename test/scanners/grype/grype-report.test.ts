import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grypeFormat } from '../../../src/scanners/grype/parse.ts';
import { oddObject, oddValue } from '../odd-values.ts';
import { findingOf, findingsOf, inPieces, read } from '../report-events.ts';

const MATCH = {
  vulnerability: {
    id: 'GHSA-1111-2222-3333',
    dataSource: 'https://github.com/advisories/GHSA-1111-2222-3333',
    namespace: 'github:language:javascript',
    severity: 'High',
    urls: [],
    fix: { versions: ['4.17.21'], state: 'fixed' },
    advisories: [{ id: 'A', link: 'https://a.test' }],
  },
  relatedVulnerabilities: [
    {
      id: 'CVE-2021-23337',
      description: 'Command injection.',
      cvss: [
        { version: '3.1', vector: 'CVSS:3.1/AV:N', metrics: { baseScore: 7.2 } },
        { version: '2.0', vector: 'AV:N/AC:L/Au:S/C:P/I:P/A:P', metrics: { baseScore: 6.5 } },
      ],
      epss: [{ cve: 'CVE-2021-23337', epss: 0.02 }],
      knownExploited: [{ cve: 'CVE-2021-23337' }],
      cwes: [{ cve: 'CVE-2021-23337', cwe: 'CWE-94' }],
    },
  ],
  matchDetails: [{ type: 'exact-direct-match' }],
  artifact: { name: 'lodash', version: '4.17.4', type: 'npm', locations: [{ path: '/app/package-lock.json' }] },
};
const SOURCE = { type: 'image', target: { userInput: 'app:1' } };
/** As Grype 0.94 writes it when it was given no options. */
const KERNEL_HEADERS = {
  vulnerability: '',
  reason: '',
  namespace: '',
  'fix-state': '',
  package: { name: 'kernel-headers', version: '', language: '', type: 'rpm', location: '', 'upstream-name': 'kernel' },
  'vex-status': '',
  'match-type': 'exact-indirect-match',
};
const DEFAULTS = {
  output: ['json'],
  pretty: false,
  distro: '',
  'only-fixed': false,
  'only-notfixed': false,
  'ignore-wontfix': '',
  platform: '',
  search: { scope: 'squashed', 'unindexed-archives': false, 'indexed-archives': true },
  ignore: [KERNEL_HEADERS],
  exclude: [],
  match: { java: { 'using-cpes': false }, stock: { 'using-cpes': true } },
  'by-cve': false,
  'vex-documents': [],
  db: { 'auto-update': true },
  exp: {},
};
const DESCRIPTOR = {
  name: 'grype',
  version: '0.94.0',
  timestamp: '2026-01-01T00:00:00Z',
  db: { status: { built: '2025-12-31T04:00:00Z', valid: true } },
};
const report = (matches: unknown, over: object = {}) => ({
  matches,
  source: SOURCE,
  distro: { name: 'alpine', version: '3.20' },
  descriptor: { ...DESCRIPTOR, configuration: DEFAULTS },
  ...over,
});

describe('Grype reports', () => {
  it('give a match with what its CVEs are known for', async () => {
    expect(await findingOf(grypeFormat, report([MATCH]))).toMatchObject({
      rule_id: 'GHSA-1111-2222-3333',
      rule_family: 'npm',
      title: 'GHSA-1111-2222-3333 in lodash',
      severity: 'high',
      severity_source: 'grype: github:language:javascript',
      confidence: 'firm',
      description: 'Command injection.',
      solution: 'Update lodash: fixed in 4.17.21.',
      references: ['https://github.com/advisories/GHSA-1111-2222-3333', 'https://a.test'],
      cvss: [
        { version: '3.1', score: 7.2 },
        { version: '2.0', score: 6.5 },
      ],
      cves: ['CVE-2021-23337'],
      cwes: ['CWE-94'],
      epss: 0.02,
      kev: true,
      location: {
        image: 'app:1',
        file: '/app/package-lock.json',
        package: 'lodash',
        version: '4.17.4',
        fixed_version: '4.17.21',
      },
    });
  });

  it.each([
    ['Critical', 'critical', true],
    ['Negligible', 'info', true],
    ['Unknown', 'medium', false],
    ['', 'medium', false],
    [null, 'medium', false],
  ])('rate %j as %s', async (severity, expected, isRated) => {
    const match = { ...MATCH, vulnerability: { ...MATCH.vulnerability, severity } };
    expect(await findingOf(grypeFormat, report([match]))).toMatchObject({
      severity: expected,
      severity_rated: isRated,
    });
  });

  it('say when only the name of a product matched, and what will not be fixed', async () => {
    const match = {
      ...MATCH,
      matchDetails: [{ type: 'cpe-match' }],
      vulnerability: { ...MATCH.vulnerability, fix: { versions: [], state: 'wont-fix' } },
    };
    expect(await findingOf(grypeFormat, report([match]))).toMatchObject({
      confidence: 'tentative',
      report_state: 'fix state: wont-fix',
    });
  });

  it('say the same whether the source is told before or after the matches', async () => {
    const { matches, ...rest } = report([MATCH, MATCH]);
    expect(await findingsOf(grypeFormat, { ...rest, matches })).toEqual(
      await findingsOf(grypeFormat, report([MATCH, MATCH])),
    );
  });

  /** What the report says it proves, as one scope, and whether it names a place. */
  const look = async (over: object) => {
    const { events } = await read(grypeFormat, inPieces(JSON.stringify(report([], over))));
    const scopes = events.flatMap((event) => (event.kind === 'scope' ? [event.scope] : []));
    return { hasPlace: events.some(({ kind }) => kind === 'place'), ...Object.assign({}, ...scopes) };
  };
  const configured = (configuration: unknown) => look({ descriptor: { ...DESCRIPTOR, configuration } });
  const EVERYTHING = { hasPlace: true, families: ['*'], rulesAsOf: '2025-12-31T04:00:00.000Z' };
  const NOTHING = { hasPlace: true, rulesAsOf: '2025-12-31T04:00:00.000Z' };

  it('prove a look at their source, unless matches were left out', async () => {
    expect(await look({})).toEqual(EVERYTHING);
    expect(await look({ ignoredMatches: [MATCH] })).toEqual(NOTHING);
    expect(await look({ source: { type: 'directory', target: '/srv' } })).toEqual(EVERYTHING);
    expect(await look({ source: null })).toEqual({ ...NOTHING, hasPlace: false });
  });

  it('say of which day their database was, and prove nothing where they do not', async () => {
    const { db: _db, ...without } = DESCRIPTOR;
    const of = (descriptor: object) => look({ descriptor: { ...without, configuration: DEFAULTS, ...descriptor } });
    expect(await of({ db: { built: '2022-05-01T00:00:00Z', schemaVersion: 5 } })).toMatchObject({
      families: ['*'],
      rulesAsOf: '2022-05-01T00:00:00.000Z',
    });
    expect(await of({})).toEqual({ hasPlace: true, rulesAsOf: '2026-01-01T00:00:00.000Z' });
    for (const built of ['yesterday', '+012345-01-01T00:00:00Z', 5])
      expect(await of({ timestamp: built, db: { status: { built } } })).not.toHaveProperty('rulesAsOf');
    expect(await of({ timestamp: 'yesterday' })).toEqual({ hasPlace: true, reportsMore: true });
  });

  it('prove nothing of the packages of a distribution they did not recognise', async () => {
    const { families } = await look({ distro: { name: '', version: '', idLike: null } });
    expect(families).toContain('npm');
    for (const type of ['*', 'apk', 'deb', 'rpm']) expect(families).not.toContain(type);
  });

  it.each([
    ['exclude', ['**/node_modules/**']],
    ['ignore', [{ vulnerability: 'CVE-2021-23337' }]],
    ['ignore', [{ ...KERNEL_HEADERS, package: { ...KERNEL_HEADERS.package, name: '.*' } }]],
    ['only-fixed', true],
    ['only-notfixed', true],
    ['ignore-wontfix', 'wont-fix'],
    ['ignore-states', 'unknown,wont-fix'],
    ['vex-documents', ['vex.json']],
    ['search', { scope: 'squashed', 'indexed-archives': false }],
  ])('prove nothing by absence when %s takes matches away: %j', async (key, value) => {
    expect(await configured({ ...DEFAULTS, [key]: value })).toEqual(NOTHING);
  });

  it.each([
    ['by-cve', true],
    ['distro', 'alpine:3.18'],
    ['platform', 'linux/arm64'],
    ['search', { scope: 'all-layers', 'indexed-archives': true }],
    ['search', { scope: 'squashed', 'indexed-archives': true, 'unindexed-archives': true }],
    ['search', { scope: 'all-layers', 'indexed-archives': false }],
    ['search', undefined],
    ['match', { stock: { 'using-cpes': false } }],
    ['match', { java: { 'using-cpes': true } }],
    ['match-upstream-kernel-headers', true],
    ['add-cpes-if-none', true],
    ['externalSources', { enable: true }],
    ['vex-add', ['affected']],
    ['a-setting-of-tomorrow', 'narrow'],
  ])('prove nothing by absence, and cannot be disproven, when %s is %j', async (key, value) => {
    expect(await configured({ ...DEFAULTS, [key]: value })).toEqual({ ...NOTHING, reportsMore: true });
  });

  it.each([undefined, null, [], 'none'])('nor when their configuration is %j', async (configuration) => {
    expect(await configured(configuration)).toEqual({ ...NOTHING, reportsMore: true });
  });

  it('of a folder are placed by file', async () => {
    const source = { type: 'directory', target: '/srv' };
    expect((await findingOf(grypeFormat, report([MATCH], { source }))).location).toMatchObject({
      file: '/app/package-lock.json',
    });
    const bare = { ...MATCH, artifact: { name: 'x', locations: null } };
    expect((await findingOf(grypeFormat, report([bare], { source }))).location).toEqual({
      file: '/srv',
      package: 'x',
      fixed_version: '4.17.21',
    });
  });

  it('keep the matches before a cut', async () => {
    const text = JSON.stringify(report([MATCH, MATCH, MATCH]));
    const { findings, error } = await read(
      grypeFormat,
      inPieces(text.slice(0, JSON.stringify([MATCH, MATCH]).length + 30)),
    );
    expect(findings).toHaveLength(2);
    expect(error).toMatchObject({ code: 'report_unreadable' });
  });

  it.each(['', '{}', '[]', '{"matches":{}}', '{"matches":[5]}', '{"matches":[{"vulnerability":{}}]}'])(
    '%j are refused',
    async (text) => {
      expect((await read(grypeFormat, inPieces(text))).error).toMatchObject({ code: 'report_unreadable' });
    },
  );

  it('without matches hold none', async () => {
    for (const none of [[], null]) expect(await findingsOf(grypeFormat, report(none))).toEqual([]);
  });

  it('may have anything in any field', async () => {
    const match = fc.tuple(
      oddObject('namespace', 'severity', 'urls', 'cvss', 'epss', 'fix', 'advisories', 'cwes', 'knownExploited'),
      oddObject('version', 'type', 'locations'),
      fc.oneof(oddValue, fc.array(oddObject('id', 'cvss', 'epss'), { maxLength: 2 })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(match, { maxLength: 4 }), oddValue, async (all, source) => {
        const matches = all.map(([vulnerability, artifact, relatedVulnerabilities]) => ({
          vulnerability: { ...vulnerability, id: 'X-1' },
          artifact: { ...artifact, name: 'p' },
          relatedVulnerabilities,
        }));
        const { findings, error } = await read(grypeFormat, inPieces(JSON.stringify(report(matches, { source })), 200));
        expect({ error, findings: findings.length }).toEqual({ error: undefined, findings: matches.length });
      }),
      { numRuns: 150, endOnFailure: true },
    );
  });
});
