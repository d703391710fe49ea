import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import { ImportAnswer } from '../../src/model/contract/imports.ts';
import { FindingAnswer } from '../../src/model/contract/results.ts';
import { wire, type Wire } from './wire.ts';

const CVE = 'CVE-2026-0001';
const CONFIGURATION = {
  output: ['json'],
  search: { scope: 'squashed', 'unindexed-archives': false, 'indexed-archives': true },
  ignore: [],
  exclude: [],
};

const match = (path: string) => ({
  vulnerability: { id: CVE, severity: 'High' },
  matchDetails: [{ type: 'exact-direct-match' }],
  artifact: { name: 'p', version: '1', type: 'npm', locations: [{ path }] },
});

/** A whole report of Grype with its default options, of a day. */
const grype = (source: object, matches: readonly object[], day = 1): string =>
  JSON.stringify({
    matches,
    source,
    distro: { name: 'alpine', version: '3.20' },
    descriptor: {
      name: 'grype',
      version: '0.94.0',
      timestamp: `2026-01-0${day}T00:00:00Z`,
      db: { status: { built: '2026-01-01T00:00:00Z', valid: true } },
      configuration: CONFIGURATION,
    },
  });

const image = (userInput: string) => ({ type: 'image', target: { userInput } });
const folder = (target: string) => ({ type: 'directory', target });

const imported = async ({ ok }: Wire, content: string): Promise<string> =>
  ImportAnswer.parse(await ok('import_report', { content })).scan_id;
const search = async ({ ok }: Wire, args: Record<string, unknown>) => Found.parse(await ok('search_findings', args));

describe('search_findings by image or file', () => {
  it.each(['registry.test/team/app:12', 'registry.test/team/app:RC1', 'app:1', 'repo/Sub'])(
    'finds what is in %s, and tells it from what is in others',
    async (name) => {
      const room = await wire();
      await imported(room, grype(image('registry.test/clean/app:3'), []));
      const scan = await imported(room, grype(image(name), [match('/package-lock.json')]));
      for (const latest_only of [true, false]) {
        const there = await search(room, { cve: CVE, host: name, latest_only });
        expect(there).toMatchObject({ answer: 'found', total: 1, scans: [{ scan_id: scan }] });
        const clean = await search(room, { cve: CVE, host: 'registry.test/clean/app:3', latest_only });
        expect(clean).toMatchObject({ answer: 'not_found', hosts: { searched: 1, could_detect: 1 } });
      }
      // Places have one spelling: in another one it must not be called clean.
      expect(await search(room, { cve: CVE, host: name.toUpperCase() })).not.toMatchObject({ answer: 'not_found' });
      expect(await search(room, { cve: CVE, host: name.toLowerCase() })).toMatchObject({ answer: 'found' });
    },
  );

  it('tells of an image that looks like a host with a port that it has not what others have', async () => {
    const room = await wire();
    await imported(room, grype(image('postgres:15'), [match('/package-lock.json')], 1));
    const head = await imported(room, grype(image('postgres:16'), [], 2));
    await imported(room, grype(image('nginx'), [match('/package-lock.json')], 3));
    for (const latest_only of [true, false])
      expect(await search(room, { cve: CVE, host: 'postgres:16', latest_only })).toMatchObject({ answer: 'not_found' });
    expect(await room.ok('get_scan_results', { scan_id: head, host: 'postgres:16' })).toMatchObject({ total: 0 });
    for (const host of ['nginx:80', 'http://postgres:16'])
      expect(await room.fails('search_findings', { cve: CVE, host })).toMatch(/^invalid_request: host must be/);
  });

  it('finds in a folder what is in its files', async () => {
    const room = await wire();
    const scan = await imported(room, grype(folder('/srv/App'), [match('/srv/App/package-lock.json')]));
    await imported(room, grype(folder('/srv/other'), []));
    for (const latest_only of [true, false]) {
      const there = await search(room, { cve: CVE, host: '/srv/App', latest_only });
      expect(there).toMatchObject({ answer: 'found', total: 1 });
      expect(await search(room, { cve: CVE, host: '/srv/other', latest_only })).toMatchObject({ answer: 'not_found' });
    }
    expect(await room.ok('get_scan_results', { scan_id: scan, host: '/srv/App' })).toMatchObject({ total: 1 });
  });

  it('finds in a folder that is called like a host what is in its files', async () => {
    const room = await wire();
    await imported(room, grype(folder('webshop'), [match('/package-lock.json')]));
    expect(await search(room, { cve: CVE, target: 'webshop' })).toMatchObject({ answer: 'found', total: 1 });
  });

  it('remembers what a scan of today no longer shows', async () => {
    const room = await wire();
    await imported(room, grype(folder('/srv/App'), [match('/srv/App/package-lock.json')], 1));
    await imported(room, grype(folder('/srv/App'), [], 2));
    expect(await search(room, { cve: CVE, host: '/srv/App' })).toMatchObject({ answer: 'not_found', total: 0 });
    expect(await search(room, { cve: CVE, host: '/srv/App', latest_only: false })).toMatchObject({ total: 1 });
  });
});

const sarif = (uris: readonly string[], tool = 'Linter'): string =>
  JSON.stringify({
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: tool, rules: [{ id: 'R1' }] } },
        results: uris.map((uri) => ({
          ruleId: 'R1',
          message: { text: 'm' },
          locations: [{ physicalLocation: { artifactLocation: { uri } } }],
        })),
      },
    ],
  });

it('search_findings finds what lies in a file that no scan lists, and tells nothing of one without', async () => {
  const room = await wire();
  const uris = Array.from({ length: 12 }, (_, n) => `src/${n}.c`);
  await imported(room, sarif([...uris, 'src/Main.c', 'go.mod', ...uris]));
  const scan = await imported(room, grype(folder('/srv/App'), [match('/srv/App/package-lock.json')]));
  for (const host of ['src/Main.c', 'go.mod'])
    expect(await search(room, { rule_id: 'Linter/R1', host })).toMatchObject({ answer: 'found', total: 1 });
  const inFolder = await search(room, { cve: CVE, host: '/srv/App/package-lock.json' });
  expect(inFolder).toMatchObject({ answer: 'found', total: 1 });
  expect(inFolder.scans[0]).toMatchObject({ scan_id: scan, findings: 1 });
  for (const host of ['src/other.c', 'nobody.test', '10.9.9.9'])
    expect(await search(room, { cve: CVE, host })).toMatchObject({ answer: 'cannot_tell', hosts: { searched: 0 } });

  await imported(room, sarif(Array.from({ length: 40 }, () => 'src/long.c')));
  const question = { rule_id: 'Linter/R1', host: 'src/long.c', max_tokens: 500 };
  const pages: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const page: Found = await search(room, { ...question, ...(cursor === '' ? {} : { cursor }) });
    pages.push(...page.findings.map(({ finding_id }) => String(finding_id)));
    cursor = page.next_cursor;
  }
  expect([pages.length, new Set(pages).size]).toEqual([40, 40]);
});

it('search_findings lets no report about code take the place of one about other code', async () => {
  const room = await wire();
  const take = async (content: string, name?: string) => room.ok('import_report', { content, ...(name && { name }) });
  const found = async (rule_id: string) => (await search(room, { rule_id })).total;
  await take(sarif(['a.c', 'b.c']), 'shop');
  await take(sarif(['k.py'], 'Leaks'), 'shop');
  await take(sarif(['x.c']), 'library');
  await take(sarif(['y.c', 'z.c']));
  expect([await found('Linter/R1'), await found('Leaks/R1')]).toEqual([5, 1]);
  // The next report of the same name is a newer look.
  await take(sarif(['b.c']), 'shop');
  expect([await found('Linter/R1'), await found('Leaks/R1')]).toEqual([4, 1]);
});

it('get_finding names witnesses of an image whose name has capital letters', async () => {
  const room = await wire();
  const name = 'registry.test/team/app:RC1';
  const scan = await imported(room, grype(image(name), [match('/package-lock.json')]));
  const trivy = await imported(
    room,
    JSON.stringify({
      SchemaVersion: 2,
      ArtifactName: name,
      ArtifactType: 'container_image',
      Results: [
        {
          Target: 'package-lock.json',
          Class: 'lang-pkgs',
          Type: 'npm',
          Vulnerabilities: [{ VulnerabilityID: CVE, PkgName: 'p', InstalledVersion: '1', Severity: 'HIGH' }],
        },
      ],
    }),
  );
  const answer = FindingAnswer.parse(await room.ok('get_finding', { finding_id: `${scan}.1` }));
  expect(answer.witnesses).toMatchObject([{ scan_id: trivy, engine: 'trivy' }]);
});

it('list_scans finds scans of images and folders by their names', async () => {
  const room = await wire();
  const app = await imported(room, grype(image('registry.test/team/App:12'), [match('/package-lock.json')]));
  const srv = await imported(room, grype(folder('/srv/App'), []));
  for (const [target, scan] of [
    ['registry.test/team/App:12', app],
    ['/srv/App', srv],
    ['/srv/app', srv],
  ])
    expect(await room.ok('list_scans', { target })).toMatchObject({ total: 1, scans: [{ scan_id: scan }] });
  expect(await room.ok('list_scans', { target: '/srv/App', state: 'failed' })).toMatchObject({ total: 0 });
  expect(await room.fails('list_scans', { target: '/srv' })).toMatch(/^target_invalid: /);
});
