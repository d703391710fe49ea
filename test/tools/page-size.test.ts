import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../src/findings/tokens.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan } from './finished-scan.ts';
import { wire } from './wire.ts';

const HOSTS = Array.from({ length: 60 }, (_, n) => `10.0.0.${n + 1}`);
const findings = Array.from({ length: 40 }, (_, n) =>
  found({ rule_id: `rule-${n}`, title: `Weakness ${n} ${'long '.repeat(20)}`, description: 'why '.repeat(200) }),
);
const CHECKS = Array.from({ length: 90 }, (_, n) => `kind of check number ${n}`);

async function large() {
  const { app, data, ok } = await wire();
  const events = [
    placed('10.0.0.1', 'tested'),
    ...HOSTS.slice(1).map((name) => placed(name, 'unreachable', `Nothing answered ${'at all '.repeat(20)}`)),
    { kind: 'checks' as const, lookedFor: CHECKS, notLookedFor: CHECKS.map((name) => `not ${name}`) },
    ...findings,
    END,
  ];
  const scan = () => finishedScan({ queue: app.queue, data }, events, { targets: HOSTS.map((text) => address(text)) });
  await scan();
  await new Promise((resolve) => setTimeout(resolve, 3));
  return { ok, scanId: await scan() };
}

describe('max_tokens', () => {
  it.each([
    ['get_scan_results', 'scan_id'],
    ['search_findings', undefined],
    ['compare_scans', 'head_scan_id'],
  ])('bounds each whole page of %s, and every page goes on', async (tool, key) => {
    const { ok, scanId } = await large();
    for (const maxTokens of [500, 1_000, 4_000]) {
      const seen: unknown[] = [];
      let cursor: unknown;
      do {
        const answer = await ok(tool, {
          ...(key === undefined ? {} : { [key]: scanId }),
          max_tokens: maxTokens,
          ...(cursor === undefined ? {} : { cursor }),
        });
        expect(estimateTokens(JSON.stringify(answer))).toBeLessThanOrEqual(maxTokens * 1.1);
        const page = answer['findings'];
        if (!Array.isArray(page)) throw new Error('no findings');
        expect(page.length).toBeGreaterThan(0);
        seen.push(...page.map((one: Record<string, unknown>) => one['finding_id']));
        cursor = answer['next_cursor'];
      } while (cursor !== undefined);
      expect(new Set(seen).size).toBe(findings.length);
      expect(seen).toHaveLength(findings.length);
    }
  });

  it('says how much of coverage and untested is left out', async () => {
    const { ok, scanId } = await large();
    const answer = await ok('get_scan_results', { scan_id: scanId, max_tokens: 1_000 });
    expect(JSON.stringify(answer['coverage'])).toMatch(/\.\.\. and \d+ more/);
    expect(answer['summary']).toMatch(/untested says what was missed and why \(the first \d+ of 59 places\)/);
    const next = await ok('get_scan_results', { scan_id: scanId, max_tokens: 1_000, cursor: answer['next_cursor'] });
    expect(next['coverage']).toMatchObject({ requested: 60, tested: 1, unreachable: 59 });
    expect(next).not.toHaveProperty('untested');
  });
});

describe('get_finding in a small budget', () => {
  const cves = Array.from({ length: 7 }, (_, n) => `CVE-2021-${40_000 + n}`);

  it('cuts coverage and long words before CVEs and place, and names what is gone', async () => {
    const { app, data, ok } = await wire();
    const one = found({ cves, description: 'why '.repeat(900), references: ['https://a.test/1', 'https://a.test/2'] });
    const events = [
      placed('10.0.0.1', 'tested'),
      { kind: 'checks' as const, lookedFor: CHECKS, notLookedFor: CHECKS },
      one,
      END,
    ];
    const scanId = await finishedScan({ queue: app.queue, data }, events);
    const answer = await ok('get_finding', { finding_id: `${scanId}.1`, max_tokens: 500 });
    expect(estimateTokens(JSON.stringify(answer))).toBeLessThanOrEqual(550);
    expect(answer).toMatchObject({ cves, place: '10.0.0.1:80/tcp', title: 'A weakness' });
    expect(JSON.stringify(answer['coverage'])).toMatch(/\.\.\. and \d+ more/);
    expect(JSON.stringify(answer['cut'])).toMatch(/description/);
    expect(answer['summary']).toMatch(/not whole: cut says what is missing/);
  });
});
