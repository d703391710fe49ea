import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Browser, Page } from 'playwright-core';
import { html } from '../../../src/findings/exports/html.ts';
import { MOST_FOR_PEOPLE } from '../../../src/findings/exports/most-urgent.ts';
import type { ExportSource } from '../../../src/findings/exports/source.ts';
import { openBrowser, openPage } from './browser.ts';
import { officeScan } from './sample.ts';
import { anySource, finding, HEADER, HOSTILE, hostile, sourceOf, written } from './sources.ts';

const textOf = (source: ExportSource): string => written(html(source, ''));

const HOSTILE_HEADER = {
  scan: { ...HEADER.scan, name: HOSTILE, targets: [HOSTILE] },
  source: { tool: HOSTILE, version: HOSTILE },
  coverage: { ...HEADER.coverage, looked_for: [HOSTILE], not_looked_for: [HOSTILE] },
  filtered: [HOSTILE],
};

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** Written as text: these run in the page. */
const WIDTHS = '[document.documentElement.scrollWidth, window.innerWidth]';
const OVERFLOWING = `[...document.querySelectorAll('main *')].filter((e) => !e.closest('svg, pre') &&
  e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((e) => e.outerHTML.slice(0, 120))`;
const ACTIVE = `[...document.querySelectorAll('script, img, iframe, object, embed, form, input, button, video, audio, base,' +
  ' link, [onerror], [onclick], [onload], [style], style ~ style, meta[http-equiv=refresh]')].map((e) => e.outerHTML)`;
const LINKS = '[...document.querySelectorAll("a")].map((a) => a.href)';
const COLOURS =
  '[getComputedStyle(document.body).color, getComputedStyle(document.querySelector("main")).backgroundColor]';

/** A number of each element a selector finds. */
const numbers = async (page: Page, selector: string, expression: string): Promise<number[]> =>
  z
    .array(z.number())
    .parse(
      await page.evaluate(`[...document.querySelectorAll(${JSON.stringify(selector)})].map((e) => ${expression})`),
    );

describe('the HTML report in a browser', () => {
  it.each([
    { width: 1_280, what: 'an office network', source: officeScan() },
    { width: 390, what: 'an office network', source: officeScan() },
    { width: 390, what: 'hostile text', source: sourceOf([hostile(), hostile({ severity: 'low' })], HOSTILE_HEADER) },
    { width: 1_280, what: 'nothing found', source: sourceOf([]) },
  ])('opens with $what at $width px: nothing runs, loads or overflows', async ({ width, source }) => {
    const { page, trouble } = await openPage(browser, textOf(source), { width });
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(await page.evaluate(ACTIVE)).toEqual([]);
    expect(await page.evaluate(WIDTHS)).toEqual([width, width]);
    expect(await page.evaluate(OVERFLOWING)).toEqual([]);
    expect(trouble).toEqual([]);
  });

  it('links only to its own sections and to what valid CVE and CWE ids lead to', async () => {
    const { page } = await openPage(browser, textOf(sourceOf([hostile()], HOSTILE_HEADER)), { width: 1_280 });
    const links = z.array(z.string()).parse(await page.evaluate(LINKS));
    expect(links.map((link) => link.replace(/^file:.*#/, '#')).toSorted()).toEqual([
      '#w1',
      'https://cwe.mitre.org/data/definitions/79.html',
      'https://nvd.nist.gov/vuln/detail/CVE-2024-3094',
    ]);
  });

  it('shows hostile text as text', async () => {
    const { page } = await openPage(browser, textOf(sourceOf([hostile()])), { width: 1_280 });
    const title = await page.locator('article h3').textContent();
    expect(title).toBe(HOSTILE.replaceAll('\n', ' ').replace('\u{202e}', '\\u{202e}').trim());
    expect(await page.locator('pre').first().textContent()).toContain('<script>window.pwned=1</script>');
  });

  it('shows verdict, charts and the worst findings in this order, and every severity in words', async () => {
    const { page } = await openPage(browser, textOf(officeScan()), { width: 1_280 });
    expect(await page.locator('h1').textContent()).toBe('Office network, quarterly');
    expect(await page.locator('.verdict strong').textContent()).toBe('Verdict: partial');
    expect(await page.locator('svg').first().getAttribute('aria-label')).toBe(
      'Findings by severity: 4 critical, 15 high, 34 medium, 10 low, 60 info',
    );
    const widths = await numbers(
      page,
      'svg:first-of-type rect:not(.track)',
      'e.closest(".card").matches(":first-child") ? e.width.baseVal.value : -1',
    );
    expect(widths.filter((width) => width >= 0).map((width) => Math.round((width * 60) / 220))).toEqual([
      4, 15, 34, 10, 60,
    ]);
    const severities = await page.locator('article .chip').allTextContents();
    expect(severities).toEqual(['critical', 'critical', 'high', 'high', 'medium', 'low', 'low', 'info']);
    const tops = await numbers(page, '.verdict, .cards, main > section > h2, article', 'e.getBoundingClientRect().top');
    expect(tops).toEqual(tops.toSorted((a, b) => a - b));
  });

  it('looks like a page: two cards side by side when there is room, else below each other', async () => {
    for (const [width, columns] of [
      [1_280, 2],
      [390, 1],
    ] as const) {
      const { page } = await openPage(browser, textOf(officeScan()), { width });
      const lefts = await numbers(page, '.card', 'e.getBoundingClientRect().left');
      expect(new Set(lefts).size).toBe(columns);
      const shot = await page.screenshot();
      // A picture with something on it: a blank page of this size is a tenth of that.
      expect(shot.length).toBeGreaterThan(20_000);
      expect([shot.readUInt32BE(16), shot.readUInt32BE(20)]).toEqual([width, 900]);
    }
  });

  it('is dark for those who like it dark, with text that can be read', async () => {
    const light = await openPage(browser, textOf(officeScan()), { width: 1_280 });
    const dark = await openPage(browser, textOf(officeScan()), { width: 1_280, dark: true });
    expect(await light.page.evaluate(COLOURS)).toEqual(['rgb(22, 32, 44)', 'rgb(255, 255, 255)']);
    expect(await dark.page.evaluate(COLOURS)).toEqual(['rgb(230, 235, 241)', 'rgb(22, 27, 34)']);
  });

  it('prints, with evidence in full and dark text on white', async () => {
    const { page } = await openPage(browser, textOf(officeScan()), { width: 1_280, dark: true });
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate(COLOURS)).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
    expect(await page.evaluate('getComputedStyle(document.querySelector("pre")).maxHeight')).toBe('none');
  });

  it('opens with as many findings as it ever holds', async () => {
    const many = Array.from({ length: MOST_FOR_PEOPLE + 1 }, (_, at) =>
      finding({ rule_id: `rule-${at % 500}`, discriminator: String(at), untrusted: { output: 'x'.repeat(20_000) } }),
    );
    const text = textOf(sourceOf(many));
    expect(text).toContain('shows the 2,000 most urgent of 2,001 findings');
    expect(text.length).toBeLessThan(8_000_000);
    const { page, trouble } = await openPage(browser, text, { width: 390 });
    expect(await page.locator('article').count()).toBe(500);
    expect(trouble).toEqual([]);
  });
});

describe('the HTML report', () => {
  it('is the same again, and forbids everything but its own style', () => {
    const text = textOf(officeScan());
    expect(textOf(officeScan())).toBe(text);
    expect(text).toMatch(
      /content="default-src &#39;none&#39;; style-src &#39;sha256-[\w+/=]+&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"/,
    );
  });

  it('names every finding and place, whatever the report said', () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const text = textOf(source);
        const rules = new Set([...source.findings()].map(({ rule }) => `${rule.severity} ${rule.rule_id}`));
        expect(text.match(/<article /g) ?? []).toHaveLength(rules.size);
        const listed = text.match(/<li><span class="mono">/g) ?? [];
        expect(listed).toHaveLength(source.counts.total);
      }),
      { numRuns: 40 },
    );
  });

  it('says that nothing was left out only where a scan of ours proves it', () => {
    const coverage = { ...HEADER.coverage, requested: 0, tested: 0, unreachable: 0, not_tested: 0, not_looked_for: [] };
    const textWith = (over: object, whole = true) => {
      const scan = { ...HEADER.scan, verdict: 'complete' as const, ...over };
      return textOf({ ...sourceOf([], { scan, coverage, whole }), places: () => [] });
    };
    const claim = 'Nothing was left out.';
    expect(textWith({})).toContain(claim);
    expect(textWith({}, false)).not.toContain(claim);
    expect(textWith({ verdict: 'partial' })).not.toContain(claim);
    const imported = textWith({ origin: 'imported' });
    expect(imported).not.toContain(claim);
    expect(imported).toContain('What the report itself left out is not known.');
    for (const word of ['asked for', 'without a login']) {
      expect(imported).not.toContain(word);
      expect(textWith({})).toContain(word);
    }
    expect(textWith({ origin: 'imported', access: 'authenticated' })).toContain('with a login');
  });

  it('tells weaknesses of one title apart in its list', () => {
    const at = (version: string) => ({ location: { image: 'app:1', package: 'vm2', version } });
    const escape = { title: 'vm2: Sandbox Escape', cves: ['CVE-2023-29199'], rule_id: 'CVE-2023-29199' };
    const list = textOf(
      sourceOf([
        finding({ ...escape, ...at('3.9.3') }),
        finding({ ...escape, ...at('3.9.4') }),
        finding({ ...escape, ...at('3.9.5') }),
        finding({ ...escape, rule_id: 'GHSA-1111-2222-3333', cves: [], ...at('3.9.3') }),
        finding({
          title: 'Java updates',
          rule_id: 'nessus:154345',
          cves: ['CVE-2021-1111', 'CVE-2021-1112', 'CVE-2021-1113'],
        }),
        finding({ title: 'CVE-2024-3094 in xz', rule_id: 'CVE-2024-3094', cves: ['CVE-2024-3094'] }),
      ]),
    );
    const said = [...list.matchAll(/<div class="small soft">([^<]*)<\/div>/g)].map(([, text]) => text);
    expect(said).toEqual([
      'CVE-2023-29199 · vm2 3.9.3 · vm2 3.9.4 · 1 more',
      'GHSA-1111-2222-3333 · vm2 3.9.3',
      'nessus:154345 · 3 CVEs',
    ]);
  });

  it('does not let an empty list of findings look clean', () => {
    const text = textOf(sourceOf([]));
    expect(text).toContain('Verdict: partial');
    expect(text).toContain('smb: no port was open');
    expect(text).toContain('unreachable: no port answered');
    expect(text).toContain('None. That is worth as much as what was looked at.');
  });
});
