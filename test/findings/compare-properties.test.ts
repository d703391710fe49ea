import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHANGES } from '../../src/findings/compare-classes.ts';
import type { ComparedScan, ComparisonPage } from '../../src/findings/comparison.ts';
import type { FindingFilter } from '../../src/findings/findings.ts';
import type { Change } from '../../src/model/contract/compare.ts';
import { SEVERITIES, severityRank, type Severity } from '../../src/model/finding.ts';
import type { PlaceStatus } from '../../src/model/coverage.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { comparing, type Comparing, type Told } from './compared.ts';
import { address, END, found, placed } from './reports.ts';

const HOSTS = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
const FAMILIES = ['web', 'ssl', 'dns'] as const;

interface Weakness {
  readonly host: string;
  readonly port: number | undefined;
  readonly rule: number;
  readonly severity: Severity;
}

interface Scan {
  readonly hosts: readonly { readonly host: string; readonly status: PlaceStatus; readonly login: boolean }[];
  readonly ports: string | undefined;
  readonly families: readonly string[];
  readonly ended: boolean;
  readonly findings: readonly Weakness[];
}

const keyOf = ({ host, port, rule }: Weakness): string => `${host} ${port ?? '-'} ${rule}`;
const familyOf = ({ rule }: Weakness): string => FAMILIES[rule % FAMILIES.length] ?? '';

const weakness = fc.record({
  host: fc.constantFrom(...HOSTS),
  port: fc.constantFrom(undefined, 80, 443),
  rule: fc.nat(7),
  severity: fc.constantFrom<Severity>('high', 'low'),
});
const findings = fc.uniqueArray(weakness, { maxLength: 25, selector: keyOf });
const status = fc.constantFrom<PlaceStatus>('tested', 'tested', 'tested', 'partial', 'unreachable', 'not_tested');
const scan: fc.Arbitrary<Scan> = fc.record({
  hosts: fc.tuple(...HOSTS.map((host) => fc.record({ host: fc.constant(host), status, login: fc.boolean() }))),
  ports: fc.constantFrom(undefined, '80', '1-100,443', 'all'),
  families: fc.constantFrom(['*'], ['*'], ['web', 'ssl'], []),
  ended: fc.constantFrom(true, true, true, false),
  findings,
});
/** Looked everywhere for everything. */
const whole: fc.Arbitrary<Scan> = findings.map((list) => ({
  hosts: HOSTS.map((host) => ({ host, status: 'tested', login: false })),
  ports: 'all',
  families: ['*'],
  ended: true,
  findings: list,
}));

function told({ hosts, ports, families, ended, findings: list }: Scan): Told {
  const events: ReportEvent[] = [
    { kind: 'scope', scope: { families, ...(ports === undefined ? {} : { tcpPorts: ports }) } },
    ...hosts.map(({ host, status: is, login }) => ({
      kind: 'place' as const,
      place: { place: host, status: is, ...(login ? { login: 'success' as const } : {}) },
    })),
    ...list.map((one) =>
      found({
        rule_id: `r${one.rule}`,
        rule_family: familyOf(one),
        severity: one.severity,
        location: { ip: one.host, ...(one.port === undefined ? {} : { port: one.port, protocol: 'tcp' }) },
      }),
    ),
  ];
  return { events: ended ? [...events, END] : events, targets: HOSTS.map((host) => address(host)) };
}

const PORTS: ReadonlyMap<string | undefined, readonly number[]> = new Map([
  ['80', [80]],
  ['1-100,443', [80, 443]],
  ['all', [80, 443]],
]);

const hasAt = (prover: Scan, { host, port }: Weakness): boolean =>
  prover.findings.some((other) => other.host === host && other.port === port);

/** The rules of docs/comparing.md once more, over plain objects. */
function looked(prover: Scan, asker: Scan, one: Weakness): boolean {
  const [place, before] = [prover, asker].map(({ hosts }) => hosts.find(({ host }) => host === one.host));
  return (
    prover.ended &&
    place?.status === 'tested' &&
    (place.login || before?.login !== true) &&
    (one.port === undefined || (PORTS.get(prover.ports) ?? []).includes(one.port) || hasAt(prover, one)) &&
    (prover.families.includes('*') || prover.families.includes(familyOf(one)))
  );
}

function expected(head: Scan, base: Scan, passes: (one: Weakness) => boolean = () => true): Map<string, Change> {
  const changes = new Map<string, Change>();
  const before = new Map(base.findings.map((one) => [keyOf(one), one]));
  const now = new Set(head.findings.map(keyOf));
  for (const one of head.findings) {
    const then = before.get(keyOf(one));
    if (!passes(one)) continue;
    if (then) changes.set(keyOf(one), then.severity === one.severity ? 'persisting' : 'changed');
    else changes.set(keyOf(one), looked(base, head, one) ? 'new' : 'newly_visible');
  }
  for (const one of base.findings) {
    if (!now.has(keyOf(one)) && passes(one))
      changes.set(keyOf(one), looked(head, base, one) ? 'fixed' : 'not_observed');
  }
  return changes;
}

const keyOfShown = (shown: Readonly<Record<string, unknown>>): string => {
  const [, host = '', port = '-'] = /^([\d.]+)(?::(\d+)\/tcp)?$/.exec(String(shown['place'])) ?? [];
  return `${host} ${port} ${String(shown['rule_id']).slice(1)}`;
};
const shownChanges = (page: Pick<ComparisonPage, 'findings'>): Map<string, unknown> =>
  new Map(page.findings.map((shown) => [keyOfShown(shown), shown['change']]));
const sorted = (changes: ReadonlyMap<string, unknown>) => [...changes].toSorted(([a], [b]) => (a < b ? -1 : 1));
const count = (changes: ReadonlyMap<string, unknown>, change: Change): number =>
  [...changes.values()].filter((one) => one === change).length;

async function twoScans(room: Comparing, head: Scan, base: Scan): Promise<readonly [ComparedScan, ComparedScan]> {
  return [await room.scan(told(head)), await room.scan(told(base))];
}

describe('comparing two scans', () => {
  it('says of every finding what plain reading of both reports says', async () => {
    const room = await comparing();
    await fc.assert(
      fc.asyncProperty(scan, scan, async (head, base) => {
        const page = await room.compare(...(await twoScans(room, head, base)));
        const right = expected(head, base);
        expect(sorted(shownChanges(page))).toEqual(sorted(right));
        for (const change of CHANGES) expect(page.counts[change], change).toBe(count(right, change));
      }),
      { numRuns: 30 },
    );
  });

  it('finds everything of a scan persisting in itself', async () => {
    const room = await comparing();
    await fc.assert(
      fc.asyncProperty(scan, async (one) => {
        const [a, b] = await twoScans(room, one, one);
        expect((await room.compare(a, b)).counts).toMatchObject({
          persisting: one.findings.length,
          changed: 0,
          new: 0,
        });
        expect((await room.compare(a, a)).counts).toMatchObject({ persisting: one.findings.length });
      }),
      { numRuns: 20 },
    );
  });

  it('does not care for the order of a report or the version that made it', async () => {
    const room = await comparing();
    const source = (version: string): ReportEvent => ({ kind: 'source', source: { tool: 'Nessus', version } });
    await fc.assert(
      fc.asyncProperty(scan, scan, fc.infiniteStream(fc.nat()), async (head, base, seeds) => {
        const orders = new Map(
          told(head).events.map((event) => [event, event.kind === 'end' ? Infinity : seeds.next().value]),
        );
        const shuffled = [...orders].toSorted(([, a], [, b]) => Number(a) - Number(b)).map(([event]) => event);
        const earlier = await room.scan(told(base));
        const first = await room.compare(
          await room.scan({ ...told(head), events: [source('1'), ...told(head).events] }),
          earlier,
        );
        const second = await room.compare(
          await room.scan({ ...told(head), events: [source('2'), ...shuffled] }),
          earlier,
        );
        expect(second.counts).toEqual(first.counts);
        expect(second.findings.map(keyOfShown)).toEqual(first.findings.map(keyOfShown));
      }),
      { numRuns: 20 },
    );
  });

  it('calls new one way what is fixed the other way, where both looked everywhere', async () => {
    const room = await comparing();
    await fc.assert(
      fc.asyncProperty(whole, whole, async (one, other) => {
        const [a, b] = await twoScans(room, one, other);
        const [there, back] = [shownChanges(await room.compare(a, b)), shownChanges(await room.compare(b, a))];
        const swapped = new Map(
          [...back].map(([key, change]) => [key, change === 'new' ? 'fixed' : change === 'fixed' ? 'new' : change]),
        );
        expect(sorted(there)).toEqual(sorted(swapped));
        expect([...there.values()]).not.toContain('not_observed');
      }),
      { numRuns: 15 },
    );
  });

  it('never calls more fixed when a report proves less', async () => {
    const room = await comparing();
    const less = fc.constantFrom<(one: Scan) => Scan>(
      (one) => ({ ...one, ended: false }),
      (one) => ({ ...one, ports: undefined }),
      (one) => ({ ...one, families: one.families.slice(1) }),
      (one) => ({ ...one, hosts: one.hosts.map((place) => ({ ...place, login: false })) }),
      (one) => ({ ...one, hosts: one.hosts.slice(1) }),
      (one) => ({ ...one, hosts: one.hosts.map((place) => ({ ...place, status: 'partial' })) }),
    );
    await fc.assert(
      fc.asyncProperty(scan, scan, less, async (head, base, weaken) => {
        const [more, earlier] = await twoScans(room, head, base);
        const fixed = ({ counts }: ComparisonPage) => counts.fixed;
        const weaker = await room.scan(told(weaken(head)));
        expect(fixed(await room.compare(weaker, earlier))).toBeLessThanOrEqual(
          fixed(await room.compare(more, earlier)),
        );
      }),
      { numRuns: 20 },
    );
  });

  it('shows every finding once over all pages, in order, with the same exact counts on each', async () => {
    const room = await comparing();
    const filter: fc.Arbitrary<FindingFilter> = fc.constantFrom(
      {},
      { min_severity: 'high' },
      { host: '10.0.0.1' },
      { port: 80 },
      { rule_id: 'R1' },
      { host: '10.0.0.2/31', severity_levels: ['low'] },
    );
    const passes = ({ min_severity: min, severity_levels: levels, host, port, rule_id: rule }: FindingFilter) => {
      const hosts = host === '10.0.0.2/31' ? ['10.0.0.2', '10.0.0.3'] : [host];
      return (one: Weakness): boolean =>
        (min === undefined || severityRank(one.severity) >= severityRank(min)) &&
        (levels?.includes(one.severity) ?? true) &&
        (host === undefined || hosts.includes(one.host)) &&
        (port === undefined || one.port === port) &&
        (rule === undefined || `R${one.rule}` === rule);
    };
    await fc.assert(
      fc.asyncProperty(scan, scan, filter, fc.constantFrom(100, 150, 1_000), async (head, base, only, tokens) => {
        const [a, b] = await twoScans(room, head, base);
        const shown: Readonly<Record<string, unknown>>[] = [];
        const right = expected(head, base, passes(only));
        let cursor: string | undefined;
        do {
          const page = await room.compare(a, b, {
            filter: only,
            max_tokens: tokens,
            ...(cursor === undefined ? {} : { cursor }),
          });
          for (const change of CHANGES) expect(page.counts[change]).toBe(count(right, change));
          shown.push(...page.findings);
          cursor = page.nextCursor;
        } while (cursor !== undefined);
        expect(shown).toHaveLength(right.size);
        expect(sorted(shownChanges({ findings: shown }))).toEqual(sorted(right));
        const ranks = shown.map((one) => {
          const change = CHANGES.findIndex((name) => name === one['change']);
          return change * 10 - SEVERITIES.findIndex((name) => name === one['severity']);
        });
        expect(ranks).toEqual(ranks.toSorted((x, y) => x - y));
      }),
      { numRuns: 20 },
    );
  });

  it('takes a cursor only for the same scans, filters and judgements', async () => {
    const { compare, scan: read } = await comparing();
    const events = Array.from({ length: 30 }, (_, rule) => found({ rule_id: `r${rule}` }));
    const [a, b] = [
      await read({ events: [placed('10.0.0.1', 'tested'), ...events, END] }),
      await read({ events: [END] }),
    ];
    const { nextCursor: cursor = '' } = await compare(a, b, { max_tokens: 100 });
    expect((await compare(a, b, { max_tokens: 500, cursor })).findings.length).toBeGreaterThan(1);
    const wrong = { code: 'cursor_invalid' };
    await expect(compare(a, a, { cursor })).rejects.toMatchObject(wrong);
    await expect(compare(b, a, { cursor })).rejects.toMatchObject(wrong);
    await expect(compare(a, b, { cursor, filter: { port: 80 } })).rejects.toMatchObject(wrong);
    await expect(compare(a, b, { cursor: `${cursor}A` })).rejects.toMatchObject(wrong);
    await expect(compare(a, b, { cursor }, { version: '2', entries: [] })).rejects.toMatchObject(wrong);
  });
});
