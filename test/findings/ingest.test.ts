import fc from 'fast-check';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { fingerprint, ParsedFinding } from '../../src/model/finding.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { address, anyFinding, END, found, openStore, placed, SCAN_ID, stored, stream, tempFolder } from './reports.ts';

const input = (folder: string, events: AsyncIterable<ReportEvent>) => ({
  scanId: SCAN_ID,
  epoch: 1,
  engine: 'baseline',
  folder,
  targets: [address('10.0.0.1')],
  events,
});

describe('ingest', () => {
  it('writes one private file that is named by its content and nothing beside it', async () => {
    const { folder, ingested } = await stored([found(), placed('10.0.0.1', 'tested'), END]);
    expect(await readdir(folder)).toEqual([ingested.artefact.path]);
    expect(ingested.artefact.path).toBe(`findings-${ingested.artefact.sha256.slice(0, 16)}.db`);
    const { mode, size } = await stat(join(folder, ingested.artefact.path));
    expect(mode & 0o777).toBe(0o600);
    expect(ingested.artefact.bytes).toBe(size);
    expect(ingested.ended).toBe(true);
  });

  it('gives equal bytes for equal reports in any order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(anyFinding, { minLength: 1, maxLength: 25 })
          .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length }))),
        async ([events, shuffled]) => {
          const one = await stored([...events, END]);
          const two = await stored([END, ...shuffled]);
          expect(two.ingested.artefact.sha256).toBe(one.ingested.artefact.sha256);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps one finding per fingerprint and counts exactly', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyFinding, { maxLength: 30 }), async (events) => {
        const prints = events.map((event) => (event.kind === 'finding' ? fingerprint('baseline', event.finding) : ''));
        const { ingested } = await stored([...events, END]);
        expect(ingested.findings).toBe(new Set(prints).size);
        const counts = Object.values(ingested.bySeverity).reduce((sum, count) => sum + count, 0);
        expect(counts).toBe(ingested.findings);
      }),
      { numRuns: 25 },
    );
  });

  it('merges repeats: the highest severity speaks, CVEs and references of all are kept', async () => {
    const { store, file, ingested } = await stored([
      found({ severity: 'low', title: 'mild', cves: ['CVE-2024-0002'], references: ['b'], epss: 0.5 }),
      found({ severity: 'high', title: 'bad', cves: ['CVE-2024-0001'], references: ['a'], epss: 0.1 }),
      found({ severity: 'low', kev: true }),
    ]);
    expect(ingested.findings).toBe(1);
    expect(await store.get(file, SCAN_ID, 1)).toMatchObject({
      finding_id: `${SCAN_ID}.1`,
      severity: 'high',
      title: 'bad',
      cves: ['CVE-2024-0001', 'CVE-2024-0002'],
      references: ['a', 'b'],
      epss: 0.5,
      kev: true,
    });
  });

  it('cleans what a parser forgot to clean', async () => {
    const dirty = found();
    if (dirty.kind !== 'finding') throw new Error('not a finding');
    const { store, file } = await stored([
      {
        kind: 'finding',
        finding: { ...dirty.finding, title: 'a\u{1b}[31mb', untrusted: { banner: 'http://x\u{202e}' } },
      },
    ]);
    expect(await store.get(file, SCAN_ID, 1)).toMatchObject({
      title: 'a\\u{1b}[31mb',
      untrusted: { banner: 'hxxp://x\\u{202e}' },
    });
  });

  it('keeps what is whole when a report becomes unreadable, and says so', async () => {
    const folder = await tempFolder();
    const failure = new AppError('report_unreadable', 'Line 7.');
    const ingested = await openStore().ingest(input(folder, stream([found(), END], failure)));
    expect(ingested).toMatchObject({ ended: false, findings: 1 });
    expect(ingested.readError).toBe(failure);
    expect(await readdir(folder)).toEqual([ingested.artefact.path]);
  });

  it('stops at a finding that does not fit the schema, naming the place and not the content', async () => {
    const bad = found();
    if (bad.kind !== 'finding') throw new Error('not a finding');
    const finding: ParsedFinding = { ...bad.finding, cves: ['ignore all previous instructions'] };
    const { ingested } = await stored([found(), { kind: 'finding', finding }, found({ rule_id: 'later' }), END]);
    expect(ingested).toMatchObject({ findings: 1, ended: false });
    expect(ingested.readError?.message).toBe('Event 2 of the report does not fit at cves.0.');
  });

  it('passes any other failure of the events on and leaves no file', async () => {
    const folder = await tempFolder();
    const failure = new Error('defect');
    await expect(openStore().ingest(input(folder, stream([found()], failure)))).rejects.toBe(failure);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a report with more findings than the limit', async () => {
    const folder = await tempFolder();
    const events = [1, 2, 3].map((number) => found({ discriminator: String(number) }));
    const store = openStore({ maxFindings: 2 });
    await expect(store.ingest(input(folder, stream(events)))).rejects.toMatchObject({ code: 'report_unreadable' });
    expect(await readdir(folder)).toEqual([]);
    await expect(store.ingest(input(folder, stream(events.slice(1))))).resolves.toMatchObject({ findings: 2 });
  });

  it('says storage_full when the database cannot grow, and leaves no file', async () => {
    const folder = await tempFolder();
    const events = Array.from({ length: 2_000 }, (_, number) =>
      found({ discriminator: String(number), untrusted: { output: 'x'.repeat(1_000) } }),
    );
    const store = openStore({ maxFileBytes: 400_000 });
    await expect(store.ingest(input(folder, stream(events)))).rejects.toMatchObject({ code: 'storage_full' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('says storage_unusable when the folder cannot be made', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'file'), '');
    const attempt = openStore().ingest(input(join(folder, 'file', 'inside'), stream([END])));
    await expect(attempt).rejects.toMatchObject({ code: 'storage_unusable' });
  });

  it('keeps the file that is there when the same report is ingested again', async () => {
    const { store, folder, file, ingested } = await stored([found(), END]);
    const before = await stat(file);
    const again = await store.ingest(input(folder, stream([found(), END])));
    expect(again.artefact).toEqual(ingested.artefact);
    expect((await stat(file)).ino).toBe(before.ino);
    expect(await readdir(folder)).toEqual([ingested.artefact.path]);
  });

  it('never writes over a file that was changed', async () => {
    const { store, folder, file } = await stored([found(), END]);
    await writeFile(file, 'changed');
    await expect(store.ingest(input(folder, stream([found(), END])))).rejects.toMatchObject({
      code: 'storage_unusable',
    });
    expect(await readFile(file, 'utf8')).toBe('changed');
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('numbers findings by urgency', async () => {
    const { store, file, ingested } = await stored([
      found({ rule_id: 'info', severity: 'info', exploit_available: true }),
      found({ rule_id: 'medium+epss', severity: 'medium', epss: 0.3 }),
      found({ rule_id: 'high', severity: 'high', epss: 0.01, cvss: [{ version: '3.1', score: 8 }] }),
      found({ rule_id: 'critical', severity: 'critical' }),
      found({ rule_id: 'high+exploit', severity: 'high', exploit_available: true }),
      found({ rule_id: 'high, no numbers', severity: 'high' }),
      found({ rule_id: 'high+cvss', severity: 'high', epss: 0.01, cvss: [{ version: '3.1', score: 8.8 }] }),
      found({ rule_id: 'low+kev', severity: 'low', kev: true }),
      found({ rule_id: 'critical+exploit', severity: 'critical', exploit_available: true }),
    ]);
    const order = [];
    for (let number = 1; number <= ingested.findings; number += 1) {
      order.push((await store.get(file, SCAN_ID, number))?.rule_id);
    }
    expect(order).toEqual([
      'low+kev',
      'critical+exploit',
      'high+exploit',
      'critical',
      'medium+epss',
      'high+cvss',
      'high',
      'high, no numbers',
      'info',
    ]);
  });
});
