import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import { severityRank, type Severity } from '../../src/model/finding.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

interface Rated {
  readonly severity: Severity;
  readonly kev: boolean;
  readonly epss: number | undefined;
  readonly cvss: number | undefined;
}

const rated: fc.Arbitrary<Rated> = fc.record({
  severity: fc.constantFrom<Severity>('critical', 'high', 'medium', 'low', 'info'),
  kev: fc.boolean(),
  epss: fc.constantFrom(undefined, 0, 0.05, 0.5),
  cvss: fc.constantFrom(undefined, 0, 5.5, 9.8),
});

/** As docs/findings.md has it: KEV, level, likely exploitation, EPSS, CVSS, severity; what has no score comes last. */
function keyOf({ severity, kev, epss, cvss }: Rated): number[] {
  const rank = 4 - severityRank(severity);
  const isLikely = kev || (epss ?? 0) >= 0.1;
  const level = isLikely && rank < 4 ? rank - 1 : rank;
  return [kev ? 0 : 1, level, isLikely ? 0 : 1, -(epss ?? -1), -(cvss ?? -1), rank];
}

const difference = (a: readonly number[], b: readonly number[]): number =>
  a.map((value, at) => value - (b[at] ?? 0)).find((n) => n !== 0) ?? 0;

/** All pages of everything, whatever their sizes. */
async function pages({ ok }: Wire, sizes: readonly number[]): Promise<readonly Found[]> {
  const answers: Found[] = [];
  let cursor: string | undefined;
  do {
    const max_tokens = sizes[answers.length % sizes.length];
    const answer = Found.parse(await ok('search_findings', { max_tokens, ...(cursor !== undefined && { cursor }) }));
    answers.push(answer);
    cursor = answer.next_cursor;
  } while (cursor !== undefined && answers.length < 200);
  return answers;
}

describe('search_findings', () => {
  it('gives the findings of all scans by urgency, each once, whatever the pages', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(rated, { maxLength: 12 }), { minLength: 2, maxLength: 4 }),
        fc.array(fc.constantFrom(500, 700, 2_000), { minLength: 1, maxLength: 3 }),
        async (scans, sizes) => {
          const room = await wire();
          const ratings = new Map<string, Rated>();
          const ids: string[] = [];
          for (const [at, findings] of scans.entries()) {
            await new Promise((resolve) => setTimeout(resolve, 3));
            const ip = `10.0.0.${at + 1}`;
            const events = findings.map(({ severity, kev, epss, cvss }, n) => {
              ratings.set(`r${at}.${n}`, { severity, kev, epss, cvss });
              return found({
                rule_id: `r${at}.${n}`,
                severity,
                kev,
                location: { ip },
                ...(epss !== undefined && { epss }),
                ...(cvss !== undefined && { cvss: [{ version: '3.1', score: cvss }] }),
              });
            });
            const { app, data } = room;
            ids.unshift(
              await finishedScan({ queue: app.queue, data }, [placed(ip, 'tested'), ...events, END], {
                targets: [address(ip)],
              }),
            );
          }
          const answers = await pages(room, sizes);
          const shown = answers.flatMap(({ findings }) => findings);
          for (const { total } of answers) expect(total).toBe(ratings.size);
          expect(new Set(shown.map(({ finding_id: id }) => id)).size).toBe(ratings.size);
          expect(shown).toHaveLength(ratings.size);
          const keys = shown.map((one) => {
            const { finding_id: id, rule_id: rule } = one;
            const [scan = '', number = ''] = id.split('.');
            const rating = ratings.get(String(rule));
            if (rating === undefined) throw new Error('a finding nobody made');
            return [...keyOf(rating), ids.indexOf(scan), Number(number)];
          });
          expect(keys).toEqual(keys.toSorted(difference));
        },
      ),
      { numRuns: 8 },
    );
  }, 60_000);
});
