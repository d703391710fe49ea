import fc from 'fast-check';
import { mkdir, readdir, readFile, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createFindingsStore } from '../../../src/findings/findings-store.ts';
import { describe, expect, it } from 'vitest';
import type { Enrichment } from '../../../src/findings/enrichment/enrichment.ts';
import { enrichingStore, openEnrichment } from '../../../src/findings/enrichment/open-enrichment.ts';
import { tablePath } from '../../../src/findings/enrichment/table-file.ts';
import { RuleFacts } from '../../../src/model/finding.ts';
import { createLog } from '../../../src/platform/log.ts';
import { openDatabase } from '../../../src/platform/sqlite.ts';
import { tempFolder } from '../reports.ts';

const EPSS_NAME = 'epss_scores-current.csv.gz';
const KEV_NAME = 'known_exploited_vulnerabilities.json';

const csv = (rows: readonly string[], date = '2026-11-20'): string =>
  [`#model_version:v2025.03.14,score_date:${date}T00:00:00+0000`, 'cve,epss,percentile', ...rows, ''].join('\n');

const kev = (cves: readonly string[], over: object = {}): string =>
  JSON.stringify(
    {
      title: 'CISA Catalog of Known Exploited Vulnerabilities',
      catalogVersion: '2026.11.19',
      dateReleased: '2026-11-19T17:02:11.1234Z',
      count: cves.length,
      vulnerabilities: cves.map((cveID) => ({ cveID, vendorProject: 'x', dateAdded: '2024-03-01' })),
      ...over,
    },
    undefined,
    2,
  );

const rule = (cves: readonly string[], over: Partial<RuleFacts> = {}): RuleFacts =>
  RuleFacts.parse({ rule_id: 'r', title: 't', severity: 'high', severity_source: 'rule', cves, ...over });

interface Desk {
  readonly data: string;
  readonly downloads: string;
  readonly enrichment: Enrichment;
  /** Moves the clock on, so that the next question looks at the file again. */
  readonly later: () => void;
  readonly put: (name: string, content: string | Buffer) => Promise<void>;
}

async function desk(): Promise<Desk> {
  const [data, downloads] = [await tempFolder(), await tempFolder()];
  let time = 0;
  const enrichment = openEnrichment({ dataFolder: data, log: createLog('silent'), now: () => time });
  return {
    data,
    downloads,
    enrichment,
    later: () => void (time += 10_000),
    put: (name, content) => writeFile(join(downloads, name), content),
  };
}

const ROWS = [
  'CVE-2021-44228,0.94358,0.99957',
  'CVE-2024-1000,0.00043,0.10',
  'CVE-2024-10001,1,1',
  'CVE-2024-1001,9.4e-05,0',
];

describe('data of FIRST and CISA', () => {
  it('gives a rule the highest score of its CVEs and says of which day it is', async () => {
    const { enrichment, downloads, put } = await desk();
    await put(EPSS_NAME, gzipSync(csv(ROWS)));
    await put(KEV_NAME, kev(['CVE-2021-44228']));
    expect(await enrichment.update(downloads)).toEqual({
      facts: {
        epss: { date: '2026-11-20', model: 'v2025.03.14', scores: 4 },
        kev: { version: '2026.11.19', date: '2026-11-19', vulnerabilities: 1 },
      },
      epssFile: EPSS_NAME,
      kevFile: KEV_NAME,
    });
    expect(enrichment.enrich(rule(['CVE-2024-1000', 'CVE-2021-44228', 'CVE-1999-0001']))).toMatchObject({
      epss: 0.94358,
      epss_source: 'FIRST EPSS 2026-11-20',
      kev: true,
      kev_source: 'CISA KEV 2026.11.19',
    });
    expect(enrichment.enrich(rule(['CVE-2024-1001']))).toMatchObject({ epss: 9.4e-5, kev: false });
    expect(enrichment.enrich(rule(['CVE-2024-10001'])).epss).toBe(1);
  });

  it('adds nothing where it knows nothing, and leaves the words of the report', async () => {
    const { enrichment, downloads, put } = await desk();
    const said = rule(['CVE-1999-0001'], { epss: 0.5, kev: true });
    expect(enrichment.enrich(said)).toBe(said);
    await put('epss_scores-2026-11-20.csv', csv(ROWS));
    await enrichment.update(downloads);
    expect(enrichment.enrich(said)).toBe(said);
    expect(enrichment.enrich(rule([]))).toEqual(rule([]));
  });

  it('takes the place of a score without a date, or of an earlier day, never of a later one', async () => {
    const { enrichment, downloads, put } = await desk();
    await put(EPSS_NAME, gzipSync(csv(ROWS)));
    await enrichment.update(downloads);
    const with_ = (over: Partial<RuleFacts>) => enrichment.enrich(rule(['CVE-2024-1000'], over)).epss;
    expect(with_({ epss: 0.9 })).toBe(0.00043);
    expect(with_({ epss: 0.9, epss_source: 'FIRST EPSS 2026-11-19' })).toBe(0.00043);
    expect(with_({ epss: 0.9, epss_source: 'FIRST EPSS 2026-11-21' })).toBe(0.9);
  });

  it('keeps what no file is there for', async () => {
    const { enrichment, downloads, put } = await desk();
    await put(KEV_NAME, kev(['CVE-2021-44228']));
    expect((await enrichment.update(downloads)).facts.epss).toBeUndefined();
    const other = await tempFolder();
    await writeFile(join(other, 'epss_scores-2026-11-21.csv'), csv(ROWS, '2026-11-21'));
    await writeFile(join(other, 'epss_scores-2026-11-20.csv'), csv(ROWS));
    await symlink(join(other, 'gone'), join(other, 'epss_scores-zz.csv'));
    const update = await enrichment.update(other);
    expect(update).toMatchObject({ epssFile: 'epss_scores-2026-11-21.csv', facts: { epss: { date: '2026-11-21' } } });
    expect(update.facts.kev?.vulnerabilities).toBe(1);
    expect(update.kevFile).toBeUndefined();
  });

  it('is read again by whoever had it open when it is replaced', async () => {
    const { enrichment, data, downloads, later, put } = await desk();
    await put(EPSS_NAME, gzipSync(csv(ROWS)));
    await enrichment.update(downloads);
    const other = openEnrichment({ dataFolder: data, log: createLog('silent') });
    await put(
      EPSS_NAME,
      gzipSync(csv([...ROWS.slice(2), 'CVE-2021-44228,0.9,0.9', 'CVE-2024-1000,0.7,0.9'], '2026-11-21')),
    );
    await other.update(downloads);
    later();
    expect(enrichment.enrich(rule(['CVE-2024-1000']))).toMatchObject({
      epss: 0.7,
      epss_source: 'FIRST EPSS 2026-11-21',
    });
    expect(await readdir(data)).toEqual(['enrichment.db']);
  });

  it('enriches whatever a store writes', async () => {
    const { enrichment } = await desk();
    const asked: unknown[] = [];
    const refused = (): Promise<never> => Promise.reject(new Error('not asked'));
    const store = enrichingStore(
      {
        ...createFindingsStore(),
        ingest: (input) => {
          asked.push(input.enrich);
          return refused();
        },
      },
      enrichment,
    );
    const events = (async function* none() {})();
    await expect(
      store.ingest({ scanId: 's', epoch: 1, engine: 'e', folder: '/nowhere', targets: [], events }),
    ).rejects.toThrow('not asked');
    const [enrich] = asked;
    expect(enrich).toBeTypeOf('function');
  });

  it('finds every CVE of any table, and no other', async () => {
    const cve = fc
      .tuple(fc.integer({ min: 1999, max: 2030 }), fc.integer({ min: 1_000, max: 99_999_999 }))
      .map(([year, number]) => `CVE-${year}-${number}`);
    const { enrichment, downloads, put } = await desk();
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(cve, { minLength: 1, maxLength: 40 }),
        fc.array(cve, { maxLength: 10 }),
        async (known, others) => {
          await put(EPSS_NAME, gzipSync(csv(known.map((name, index) => `${name},0.${index + 10},0`))));
          await enrichment.update(downloads, { allowOlder: true });
          for (const [index, name] of known.entries())
            expect(enrichment.enrich(rule([name])).epss).toBe(Number(`0.${index + 10}`));
          for (const name of others.filter((other) => !known.includes(other)))
            expect(enrichment.enrich(rule([name])).epss).toBeUndefined();
        },
      ),
      { numRuns: 15 },
    );
  });

  it('holds as many CVEs as there are', async () => {
    const { enrichment, downloads, put } = await desk();
    const rows = Array.from({ length: 300_000 }, (_, index) => `CVE-${2000 + (index % 26)}-${1_000 + index},0.5,0.5`);
    await put(EPSS_NAME, gzipSync(csv(rows)));
    expect((await enrichment.update(downloads)).facts.epss?.scores).toBe(300_000);
    expect(enrichment.enrich(rule(['CVE-2000-1000'])).epss).toBe(0.5);
  });
});

describe('a file of data that is behind what is in use', () => {
  const some = (count: number) => Array.from({ length: count }, (_, index) => `CVE-2024-${1_000 + index}`);
  const scores = (count: number, date: string) =>
    csv(
      some(count).map((cve) => `${cve},0.5,0.5`),
      date,
    );
  const NEWER = { catalogVersion: '2026.11.20', dateReleased: '2026-11-20T01:00:00Z' };

  async function inUse(): Promise<Desk> {
    const made = await desk();
    await made.put('epss_scores-current.csv', scores(100, '2026-11-20'));
    await made.put(KEV_NAME, kev(some(100)));
    await made.enrichment.update(made.downloads);
    return made;
  }

  it.each([
    ['scores of an earlier day', scores(100, '2026-11-19'), undefined, /epss.*of 2026-11-19.*2026-11-20.*older/],
    ['far fewer scores', scores(89, '2026-11-21'), undefined, /holds 89 scores, far fewer than the 100/],
    ['a catalogue of an earlier day', undefined, kev(some(100), { dateReleased: '2026-11-18T23:00:00Z' }), /older/],
    ['an earlier version', undefined, kev(some(100), { catalogVersion: '2026.11.9' }), /2026\.11\.9 .*older/],
    ['far fewer entries', undefined, kev(some(10), NEWER), /holds 10 vulnerabilities, far fewer than the 100/],
    ['an older catalogue beside newer scores', scores(100, '2026-11-22'), kev(some(9)), /far fewer/],
  ])('is refused, and nothing changes: %s', async (_what, csvText, kevText, why) => {
    const { enrichment, data, later } = await inUse();
    const before = await readFile(tablePath(data));
    const folder = await tempFolder();
    if (csvText !== undefined) await writeFile(join(folder, 'epss_scores-current.csv'), csvText);
    if (kevText !== undefined) await writeFile(join(folder, KEV_NAME), kevText);
    await expect(enrichment.update(folder)).rejects.toMatchObject({
      code: 'invalid_request',
      message: why,
      hint: expect.stringContaining('--allow-older'),
    });
    expect(await readFile(tablePath(data))).toEqual(before);
    expect(await readdir(data)).toEqual(['enrichment.db']);
    await enrichment.update(folder, { allowOlder: true });
    later();
    expect(await readFile(tablePath(data))).not.toEqual(before);
  });

  it.each([
    ['the same again', scores(100, '2026-11-20'), kev(some(100))],
    ['a little less', scores(90, '2026-11-21'), kev(some(90), NEWER)],
    ['a version by another scheme', scores(101, '2026-11-21'), kev(some(100), { ...NEWER, catalogVersion: 'r2' })],
  ])('is not: %s', async (_what, csvText, kevText) => {
    const { enrichment } = await inUse();
    const folder = await tempFolder();
    await writeFile(join(folder, 'epss_scores-current.csv'), csvText);
    await writeFile(join(folder, KEV_NAME), kevText);
    await expect(enrichment.update(folder)).resolves.toMatchObject({ kevFile: KEV_NAME });
  });

  it('takes the place of a damaged table, never of one of a newer scanmux', async () => {
    const { enrichment, data, downloads } = await inUse();
    await writeFile(tablePath(data), 'garbage'.repeat(1_000));
    await expect(enrichment.update(downloads)).resolves.toMatchObject({ facts: { epss: { scores: 100 } } });
    const db = openDatabase(tablePath(data), { journal: 'off' });
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(enrichment.update(downloads, { allowOlder: true })).rejects.toMatchObject({ code: 'data_too_new' });
  });

  it('removes what killed updates left, and nothing that may still be written', async () => {
    const { enrichment, data, downloads } = await inUse();
    const [left, fresh] = ['.enrichment-0123456789ab.tmp', '.enrichment-ba9876543210.tmp'];
    for (const name of [left, fresh]) await writeFile(join(data, name), 'x');
    await utimes(join(data, left), 1, 1);
    await enrichment.update(downloads);
    expect((await readdir(data)).toSorted()).toEqual([fresh, 'enrichment.db']);
  });
});

describe('a broken file of data', () => {
  it.each([
    ['no comment', 'cve,epss,percentile\nCVE-2024-1000,0.5,0.5\n', /epss_scores\.csv, line 1 .*day of the scores/],
    ['a row that was cut', `${csv([]).trimEnd()}\nCVE-2024-1000,0`, /line 3 .*all columns/],
    ['no end', csv(['CVE-2024-1000,0.5,0.5']).trimEnd(), /line 3 .*cut short/],
    ['one CVE twice', csv(['CVE-2024-1000,0.5,0.5', 'CVE-2024-1000,0.1,0.1']), /twice/],
    ['many empty lines', csv(['CVE-2024-1000,0.5,0.5', ...Array.from({ length: 200 }, () => '')]), /empty line/],
    ['other columns', csv([]).replace('cve,epss', 'id,score'), /line 2 .*columns/],
    ['no rows', csv([]), /line 3 .*no scores/],
    ['a score above 1', csv(['CVE-2024-1000,0.5,0', 'CVE-2024-1001,1.5,0']), /line 4 has no score/],
    ['no score', csv(['CVE-2024-1000']), /line 3 has no score/],
    ['no CVE', csv(['CVE-2024-1000,0.5,0', 'hello']), /line 4 does not begin with a CVE/],
    ['a page of HTML', '<!DOCTYPE html><html></html>', /line 1 /],
    ['an endless line', csv(['x'.repeat(100_000)]), /line \d+ /],
    ['bytes that are no UTF-8', Buffer.concat([Buffer.from(csv(ROWS)), Buffer.from([0xff, 10])]), /cannot be read/],
  ])('of EPSS with %s changes nothing and says which line', async (_what, content, why) => {
    const { enrichment, data, downloads, put } = await desk();
    await put(EPSS_NAME, gzipSync(csv(ROWS)));
    await enrichment.update(downloads);
    const before = await readFile(tablePath(data));
    const other = await tempFolder();
    await writeFile(join(other, 'epss_scores.csv'), content);
    await expect(enrichment.update(other)).rejects.toMatchObject({ code: 'invalid_request', message: why });
    expect(await readFile(tablePath(data))).toEqual(before);
    expect(await readdir(data)).toEqual(['enrichment.db']);
  });

  it('of EPSS that unpacks to more than any scores is refused before it fills memory', async () => {
    const { enrichment, downloads, put } = await desk();
    const comment = '#model_version:v1,score_date:2026-11-20\ncve,epss,percentile\n';
    // Every line is right, and none of them counts as a row too many.
    const row = 'CVE-2024-1000,0.5,' + '5'.repeat(180) + '\n';
    await put(EPSS_NAME, gzipSync(comment + row.repeat(Math.ceil((130 << 20) / row.length)), { level: 1 }));
    await expect(enrichment.update(downloads)).rejects.toMatchObject({ code: 'invalid_request', message: /128 MB/ });
    await put(EPSS_NAME, gzipSync(comment + 'CVE-2024-1000,1,1\n'.repeat(2_000_001), { level: 1 }));
    await expect(enrichment.update(downloads)).rejects.toMatchObject({ message: /line 2000003 is one too many/ });
    expect(enrichment.describe()).toBeUndefined();
  });

  it.each([
    ['that was cut', (gz: Buffer) => gz.subarray(0, gz.length - 20)],
    ['that is none', () => Buffer.from('hello')],
  ])('of EPSS %s inside gzip is refused', async (_what, broken) => {
    const { enrichment, downloads, put } = await desk();
    await put(EPSS_NAME, broken(gzipSync(csv(ROWS))));
    await expect(enrichment.update(downloads)).rejects.toMatchObject({
      code: 'invalid_request',
      message: /epss_scores-current\.csv\.gz, line \d+ cannot be read/,
    });
    expect(enrichment.describe()).toBeUndefined();
  });

  it.each([
    ['that was cut', kev(['CVE-2024-1000']).slice(0, -40), /json, line \d+ is not JSON/],
    ['with a word that is none', kev(['CVE-2024-1000']).replace('"x",', 'nonsense,'), /json, line 8 is not JSON/],
    ['that is a page of HTML', '<!DOCTYPE html>\n<html>', /json, line 1 is not JSON/],
    ['with a comma too many', kev(['CVE-2024-1000']).replace('"x",', '"x",,'), /json, line 9 is not JSON/],
    [
      'with another number of entries',
      kev(['CVE-2024-1000'], { count: 2 }),
      /says that it holds 2 vulnerabilities, but 1/,
    ],
    ['without the number of entries', kev(['CVE-2024-1000'], { count: undefined }), /does not fit at count/],
    [
      'with more entries than there are',
      kev(Array.from({ length: 100_001 }, (_, index) => `CVE-2024-${index + 1_000}`)),
      /100001 vulnerabilities, far more/,
    ],
    ['with an entry that is no CVE', kev(['CVE-2024-1000', 'hello']), /json, line 13 names no CVE/],
    ['without entries', kev([]), /does not fit at vulnerabilities/],
    ['of another kind', '{}', /does not fit at catalogVersion/],
    [
      'with an entry without its day',
      kev(['CVE-2024-1000']).replace('2024-03-01', '?'),
      /line 8 does not fit at vulnerabilities\.0\.dateAdded/,
    ],
  ])('of KEV %s is refused', async (_what, content, why) => {
    const { enrichment, downloads, put } = await desk();
    await put(KEV_NAME, content);
    await expect(enrichment.update(downloads)).rejects.toMatchObject({ code: 'invalid_request', message: why });
  });

  it('is not looked for under other names, nor in a folder that is not there', async () => {
    const { enrichment, downloads, put } = await desk();
    await put('scores.csv', csv(ROWS));
    await mkdir(join(downloads, 'epss_scores-1.csv'));
    await expect(enrichment.update(downloads)).rejects.toMatchObject({
      code: 'invalid_request',
      message: /neither EPSS/,
    });
    await expect(enrichment.update(join(downloads, 'gone'))).rejects.toMatchObject({ code: 'invalid_request' });
  });
});

describe('a table of data', () => {
  async function written(): Promise<Desk> {
    const made = await desk();
    await made.put(EPSS_NAME, gzipSync(csv(ROWS)));
    await made.enrichment.update(made.downloads);
    return made;
  }

  it('that is damaged adds nothing, and is said when it is asked for', async () => {
    const { enrichment, data, later } = await written();
    await writeFile(tablePath(data), 'garbage'.repeat(1_000));
    later();
    expect(enrichment.enrich(rule(['CVE-2024-1000']))).toEqual(rule(['CVE-2024-1000']));
    expect(() => enrichment.describe()).toThrow(expect.objectContaining({ code: 'storage_unusable' }));
  });

  it('of a newer scanmux is not touched', async () => {
    const { enrichment, data, later } = await written();
    const db = openDatabase(tablePath(data), { journal: 'off' });
    db.exec('PRAGMA user_version = 99');
    db.close();
    await utimes(tablePath(data), 1, 1);
    later();
    expect(() => enrichment.describe()).toThrow(expect.objectContaining({ code: 'data_too_new' }));
  });
});
