import { copyFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, describe, it } from 'vitest';
import type { ReportEvent } from '../../src/model/report.ts';
import { openDatabase } from '../../src/platform/sqlite.ts';
import { comparing, type Comparing, type Told } from './compared.ts';
import { END, found, placed } from './reports.ts';
import { readWritten } from './written.ts';

const SCOPE: ReportEvent = { kind: 'scope', scope: { tcpPorts: 'all', families: ['*'] } };

/** A scan that looked everywhere for everything. */
const full = (...events: ReportEvent[]): Told => ({
  events: [SCOPE, placed('10.0.0.1', 'tested'), ...events, END],
  engine: 'baseline',
});
const nowhere = (...events: ReportEvent[]): Told => ({ events: [...events, END], engine: 'baseline' });

const seen = (output: string, over: object = {}): ReportEvent => found({ untrusted: { output }, ...over });

async function changes(head: Told, base: Told): Promise<readonly unknown[]> {
  const { scan, compare } = await comparing();
  return (await compare(await scan(head), await scan(base))).findings.map(({ change }) => change);
}

describe('several findings of one check at one place', () => {
  it('of which one is left: that one persists, and only the other is fixed', async () => {
    expect(await changes(full(seen('a')), full(seen('a'), seen('b')))).toEqual(['fixed', 'persisting']);
    expect(await changes(full(seen('b')), full(seen('a'), seen('b')))).toEqual(['fixed', 'persisting']);
  });

  it('that were one before: only what came is new', async () => {
    expect(await changes(full(seen('a'), seen('b')), full(seen('a')))).toEqual(['new', 'persisting']);
  });

  it('that say something else now are the same weaknesses', async () => {
    expect(await changes(full(seen('c'), seen('b')), full(seen('a'), seen('b')))).toEqual(['persisting', 'persisting']);
    const worse = seen('a', { severity: 'critical' });
    expect(await changes(full(worse), full(seen('a'), seen('b')))).toEqual(['changed', 'fixed']);
  });

  it('are not observed, or newly visible, where nobody looked', async () => {
    expect(await changes(nowhere(seen('a')), full(seen('a'), seen('b')))).toEqual(['not_observed', 'persisting']);
    expect(await changes(full(seen('a'), seen('b')), nowhere(seen('a')))).toEqual(['newly_visible', 'persisting']);
  });

  it('are not those that a report lists as gone', async () => {
    const gone = seen('b', { report_state: 'baseline: absent' });
    const sarif = (told: Told): Told => ({ ...told, engine: 'sarif' });
    expect(await changes(sarif(full(gone)), sarif(full(seen('a'), seen('c'))))).toEqual(['fixed', 'fixed']);
  });
});

describe('the columns that say which findings were renamed', () => {
  async function edited(statement: string): Promise<unknown> {
    const { scan, compare } = await comparing();
    const [head, written] = [await scan(full(seen('a'))), await scan(full(seen('a'), seen('b')))];
    // A copy under a name of its own: the name of a file speaks for its content.
    const base = { ...written, file: join(dirname(written.file), 'edited.db') };
    await copyFile(written.file, base.file);
    const db = openDatabase(base.file, { journal: 'off' });
    db.exec(statement);
    db.close();
    return (await compare(head, base)).findings.map(({ change }) => change);
  }

  it('may be missing: then a fingerprint is all that counts', async () => {
    expect(await edited("DELETE FROM columns WHERE name IN ('renamed', 'plain')")).toEqual(['new', 'fixed', 'fixed']);
  });

  it.each(["DELETE FROM columns WHERE name = 'plain'", "UPDATE columns SET data = zeroblob(9) WHERE name = 'renamed'"])(
    'are checked: %s',
    async (statement) => {
      await expect(edited(statement)).rejects.toMatchObject({ code: 'storage_unusable' });
    },
  );
});

const anyRepeat = fc
  .record({
    rule_id: fc.constantFrom('r1', 'r2'),
    port: fc.constantFrom(80, 443),
    version: fc.constantFrom('1.0', '1.1', undefined),
    line: fc.constantFrom(3, 5, undefined),
    output: fc.constantFrom('a', 'b', 'c'),
    epss: fc.constantFrom(0.1, 0.2),
  })
  .map(({ port, version, line, output, ...rule }) =>
    found({ ...rule, location: { ip: '10.0.0.1', port, version, line }, untrusted: { output } }),
  );

const allAndSome = fc
  .array(anyRepeat, { minLength: 1, maxLength: 12 })
  .chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all)));

/** What the findings of a page say, from the file they stand in; all of it, page by page. */
async function shown(room: Comparing, head: Told, base: Told) {
  const [later, earlier] = [await room.scan(head), await room.scan(base)];
  const files = { head: readWritten(later.file).findings, base: readWritten(earlier.file).findings };
  const found = new Map<string, string[]>();
  let cursor: string | undefined;
  let total = 0;
  do {
    const page = await room.compare(later, earlier, { max_tokens: 400, ...(cursor === undefined ? {} : { cursor }) });
    for (const { change, finding_id: id } of page.findings) {
      const isOfBase = change === 'fixed' || change === 'not_observed';
      const number = Number(/\d+$/.exec(String(id))?.[0]);
      const { body, rule } = (isOfBase ? files.base : files.head)[number - 1] ?? {};
      const { injection_signals: _signals, ...said } = body ?? {};
      found.set(String(change), [...(found.get(String(change)) ?? []), JSON.stringify([rule, said])]);
      total += 1;
    }
    cursor = page.nextCursor;
    expect(Object.values(page.counts).reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(total);
    if (cursor === undefined) expect(Object.values(page.counts).reduce((sum, n) => sum + n, 0)).toBe(total);
  } while (cursor !== undefined);
  return found;
}

const said = (events: readonly ReportEvent[]): string[] =>
  events.map((event) => {
    if (event.kind !== 'finding') throw new Error('no finding');
    const { location, untrusted, ...rule } = event.finding;
    return JSON.stringify([JSON.parse(JSON.stringify(rule)), JSON.parse(JSON.stringify({ location, untrusted }))]);
  });

function without(all: readonly string[], some: readonly string[]): string[] {
  const left = [...all];
  for (const one of some) left.splice(left.indexOf(one), 1);
  return left.toSorted();
}

describe('random groups of repeats', () => {
  it('show as fixed exactly those that went, nothing as new, and the other way round', async () => {
    const room = await comparing();
    await fc.assert(
      fc.asyncProperty(allAndSome, async ([all, some]) => {
        const went = without(said(all), said(some));
        const forth = await shown(room, full(...some), full(...all));
        expect(forth.get('new')).toBeUndefined();
        expect((forth.get('fixed') ?? []).toSorted()).toEqual(went);
        expect(forth.get('persisting')?.length ?? 0).toBe(some.length);
        const back = await shown(room, full(...all), full(...some));
        expect(back.get('fixed')).toBeUndefined();
        expect((back.get('new') ?? []).toSorted()).toEqual(went);
      }),
      { numRuns: 60 },
    );
  });
});
