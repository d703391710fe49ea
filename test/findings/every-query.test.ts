import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Finding,
  FindingFilter,
  FindingPage,
  FindingQuery,
  Suppression,
  Suppressions,
} from '../../src/findings/findings.ts';
import { NO_SUPPRESSIONS } from '../../src/findings/findings.ts';
import { estimateTokens } from '../../src/findings/tokens.ts';
import { SEVERITIES } from '../../src/model/finding.ts';
import { countBySeverity, naiveAnswer } from './naive-query.ts';
import type { NaiveGroup } from './naive-query.ts';
import { anyFinding, DEFAULT_QUERY, END, stored } from './reports.ts';
import type { Stored } from './reports.ts';

const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined, freq: 1 });

const FILTERS = {
  severity_levels: fc.uniqueArray(fc.constantFrom(...SEVERITIES), { maxLength: 3 }),
  min_severity: fc.constantFrom(...SEVERITIES),
  min_cvss: fc.integer({ min: 0, max: 70 }).map((tenths) => tenths / 10),
  min_epss: fc.integer({ min: 0, max: 70 }).map((percent) => percent / 100),
  kev_only: fc.boolean(),
  exploit_available: fc.boolean(),
  host: fc.constantFrom(
    '10.0.0.1',
    '10.0.0.0/16',
    '10.0.0.0-10.0.0.9',
    '2001:db8::/64',
    'APP.test',
    'db.test.',
    'no.test',
  ),
  port: fc.constantFrom(22, 80, 443),
  cve: fc.integer({ min: 1, max: 30 }).map((number) => `cve-2024-${1_000 + number}`),
  rule_id: fc.constantFrom('tls-old', 'HTTP-hsts', 'redis-open', 'nothing'),
  text: fc.oneof(
    fc.constantFrom('a', 'LONG', 'e ', '世', '😀', '\n', 'ip', 'http', 'www.', 'ttp:'),
    fc.string({ minLength: 1, maxLength: 2 }),
  ),
} satisfies { readonly [K in keyof FindingFilter]-?: fc.Arbitrary<FindingFilter[K]> };

/** At most three, so that several of them together still find something. */
const filters = fc
  .tuple(fc.record(FILTERS), fc.subarray(Object.keys(FILTERS), { maxLength: 3 }))
  .map(([all, names]) => Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name))));

const shapes = fc.record({
  sort: fc.constantFrom('urgency', 'severity', 'host', 'cvss', 'epss', 'count'),
  detail: fc.constantFrom('minimal', 'brief', 'summary', 'full'),
  group_by: fc.constantFrom('none', 'none', 'none', 'host', 'rule', 'cve', 'severity', 'solution'),
  include_suppressed: maybe(fc.boolean()),
});

interface Asked {
  readonly filter: FindingFilter;
  readonly shape: Pick<FindingQuery, 'sort' | 'detail' | 'group_by'>;
  readonly budgets: readonly number[];
}

const asked: fc.Arbitrary<Asked> = fc.record({
  filter: filters,
  shape: shapes
    .filter(({ sort, group_by: by }) => sort !== 'count' || by !== 'none')
    .map((shape) => ({ ...DEFAULT_QUERY, ...JSON.parse(JSON.stringify(shape)) })),
  budgets: fc.array(fc.integer({ min: 500, max: 3_000 }), { minLength: 1, maxLength: 4 }),
});

/** Which findings are judged, as shares of all, and which rule. */
const judged = fc.record({
  shares: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { maxLength: 5 }),
  rule: maybe(fc.constantFrom('tls-old', 'redis-open')),
  engine: fc.constantFrom('baseline', 'baseline', 'nmap'),
});

const judgement = { status: 'accepted_risk', reason: 'Known.', who: 'local', expiresAt: 4e12 } as const;

function suppressionsOf(
  all: readonly Finding[],
  { shares, rule, engine }: { shares: number[]; rule?: string | undefined; engine: string },
): Suppressions {
  const prints = shares.map((share) => all[Math.floor(share * all.length)]?.fingerprint ?? '0'.repeat(32));
  const entries: Suppression[] = prints.map((fingerprint) => ({ ...judgement, fingerprint }));
  if (rule !== undefined) entries.push({ ...judgement, engine, rule_id: rule });
  return entries.length === 0 ? NO_SUPPRESSIONS : { version: JSON.stringify([prints, rule, engine]), entries };
}

/** Nobody but an operator judges a finding whose text looks like instructions; random text sometimes does. */
const isSuppressed = (
  { fingerprint, engine, rule_id: rule, injection_signals: signals }: Finding,
  { entries }: Suppressions,
): boolean =>
  entries.some(
    (entry) =>
      (entry.fingerprint === fingerprint && signals.length === 0) ||
      (entry.engine === engine && entry.rule_id === rule),
  );

async function everyFinding({ store, ref, ingested }: Stored): Promise<Finding[]> {
  const all: Finding[] = [];
  for (let number = 1; number <= ingested.findings; number += 1) {
    const finding = await store.get(ref, number);
    if (finding) all.push(finding);
  }
  return all;
}

/** All pages of a query, each asked with the next budget. */
async function* pagesOf(
  { query }: Stored,
  base: FindingQuery,
  budgets: readonly number[],
  suppressions: Suppressions,
): AsyncGenerator<FindingPage> {
  let cursor: string | undefined;
  for (let turn = 0; turn === 0 || cursor !== undefined; turn += 1) {
    const max_tokens = budgets[turn % budgets.length] ?? 500;
    const page = await query({ ...base, max_tokens, ...(cursor === undefined ? {} : { cursor }) }, suppressions);
    const shown = page.findings ?? page.groups ?? [];
    expect(estimateTokens(JSON.stringify(shown))).toBeLessThanOrEqual(max_tokens);
    if (page.nextCursor !== undefined) expect(shown.length).toBeGreaterThan(0);
    yield page;
    cursor = page.nextCursor;
  }
}

const plainGroup = ({ members: _members, ...group }: NaiveGroup) => group;

async function check(
  scan: Stored,
  all: readonly Finding[],
  query: FindingQuery,
  { budgets, suppressions }: { budgets: readonly number[]; suppressions: Suppressions },
) {
  const hidden = all.filter((finding) => isSuppressed(finding, suppressions));
  const visible = query.include_suppressed ? all : all.filter((finding) => !hidden.includes(finding));
  const { matching, groups } = naiveAnswer(visible, query);
  const facts = {
    total: matching.length,
    totalUnfiltered: visible.length,
    bySeverity: countBySeverity(matching),
    suppressed: countBySeverity(naiveAnswer(hidden, query).matching),
  };
  const shown: unknown[] = [];
  for await (const page of pagesOf(scan, query, budgets, suppressions)) {
    expect(page).toMatchObject(facts);
    if (page.groups) {
      shown.push(...page.groups);
      const seen = new Set(groups.slice(0, shown.length).flatMap(({ members }) => members));
      expect(page.omitted).toEqual(countBySeverity(matching.filter((finding) => !seen.has(finding))));
    } else {
      shown.push(...(page.findings ?? []).map((finding) => finding['finding_id']));
      expect(page.omitted).toEqual(countBySeverity(matching.slice(shown.length)));
    }
    expect(page.nextCursor === undefined).toBe(shown.length === (page.groups ? groups : matching).length);
  }
  if (query.group_by === 'none') expect(shown).toEqual(matching.map(({ finding_id: id }) => id));
  else expect(shown).toEqual(groups.map(plainGroup));
}

describe('the pages of every query', () => {
  it('together are what a plain search finds, each once, in its order, with exact counts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyFinding, { maxLength: 120, size: 'max' }),
        fc.array(fc.tuple(asked, judged), { minLength: 12, maxLength: 12 }),
        async (events, questions) => {
          const scan = await stored([...events, END]);
          const all = await everyFinding(scan);
          for (const [{ filter, shape, budgets }, by] of questions) {
            const query = { ...DEFAULT_QUERY, ...filter, ...shape };
            await check(scan, all, query, { budgets, suppressions: suppressionsOf(all, by) });
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
