import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ReportEvent } from '../../../src/model/report.ts';
import { parseZapJson } from '../../../src/scanners/zap/json.ts';
import { zapXmlFormat } from '../../../src/scanners/zap/xml.ts';
import { eventsOf, hasEnd, heardFrom, placesIn } from '../reading.ts';

const read = (report: string) => eventsOf(zapXmlFormat, report);

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

const element = (name: string, value: string): string => `<${name}>${escaped(value)}</${name}>`;

const ALERT = {
  pluginid: '10016',
  alertRef: '10016-2',
  alert: 'Weak thing',
  riskcode: '2',
  confidence: '3',
  desc: '<p>One &amp; two.</p><p>Three.</p>',
};
const AFTER = {
  solution: '<p>Fix it.</p>',
  reference: '<p>https://a.test/1</p><p>https://a.test/2</p>',
  cweid: '79',
  wascid: '8',
};
const INSTANCES = [
  { uri: 'https://app.test/a?b=c', method: 'GET', param: 'b', attack: '"><script>', evidence: '<b>x</b>' },
  { uri: 'https://app.test/d', method: 'POST', param: '', otherinfo: 'more' },
];

const elements = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, value]) => element(name, value))
    .join('\n');

const report = (alerts: string): string =>
  `<?xml version="1.0"?><OWASPZAPReport programName="ZAP" version="2.16.1" generated="Thu, 20 Nov 2025 10:00:00">` +
  `<site name="https://app.test" host="app.test" port="443" ssl="true"><alerts>${alerts}</alerts></site></OWASPZAPReport>`;

const alertOf = (instances: string): string =>
  `<alertitem>${elements(ALERT)}${instances}<count>2</count>${elements(AFTER)}</alertitem>`;

const modern = report(
  alertOf(`<instances>${INSTANCES.map((fields) => `<instance>${elements(fields)}</instance>`).join('')}</instances>`),
);

const occurrences = (events: readonly ReportEvent[]) =>
  events.flatMap((event) => (event.kind === 'occurrence' ? [event] : []));

describe('an XML report of ZAP', () => {
  it('gives one finding per instance, with the facts of its alert', async () => {
    const events = await read(modern);
    const [first, second] = occurrences(events);
    expect(occurrences(events)).toHaveLength(2);
    expect(first).toMatchObject({
      rule: {
        title: 'Weak thing',
        severity: 'medium',
        confidence: 'certain',
        solution: 'Fix it.',
        cwes: ['CWE-79'],
        references: ['https://a.test/1', 'https://a.test/2'],
      },
      occurrence: {
        discriminator: '10016-2',
        location: { host: 'app.test', port: 443, url: 'https://app.test/a?b=c', method: 'GET', parameter: 'b' },
      },
    });
    expect(first?.rule.description).toContain('One & two.');
    expect(first?.occurrence.untrusted.output).toContain('<b>x</b>');
    expect(second?.rule).toBe(first?.rule);
    expect(placesIn(events)).toEqual([{ place: 'app.test', status: 'tested' }]);
    expect(hasEnd(events)).toBe(true);
  });

  it('says the same as the JSON report of the same scan', async () => {
    const json = {
      '@programName': 'ZAP',
      '@version': '2.16.1',
      '@generated': 'Thu, 20 Nov 2025 10:00:00',
      site: [
        {
          '@name': 'https://app.test',
          '@host': 'app.test',
          '@port': '443',
          alerts: [{ ...ALERT, instances: INSTANCES, ...AFTER }],
        },
      ],
    };
    const events: ReportEvent[] = [];
    for await (const event of parseZapJson(Readable.from([Buffer.from(JSON.stringify(json))]))) events.push(event);
    expect(await read(modern)).toEqual(events);
  });

  it('takes an alert without instances as one finding at its site', async () => {
    const [only, ...rest] = occurrences(await read(report(alertOf('<instances></instances>'))));
    expect(rest).toEqual([]);
    expect(only?.occurrence.location).toMatchObject({ host: 'app.test', port: 443 });
  });

  it('keeps the text of HTML that was not escaped', async () => {
    const text = report('<alertitem><alert>A</alert><desc><p>One <b>two</b> three.</p></desc></alertitem>');
    expect(occurrences(await read(text))[0]?.rule.description).toBe('One two three.');
  });

  it('reads the places of old versions, which stand in the alert itself', async () => {
    const old =
      elements({ uri: 'http://app.test/a', param: 'p', evidence: 'e' }) +
      elements({ uri: 'http://app.test/b', attack: 'x' });
    const found = occurrences(await read(report(alertOf(old))));
    expect(found.map(({ occurrence }) => occurrence.location.url)).toEqual(['http://app.test/a', 'http://app.test/b']);
    expect(found[0]?.occurrence.location.parameter).toBe('p');
    expect(found[1]?.occurrence.location.parameter).toBeUndefined();
  });

  it('reads requests and responses, without the login they were sent with', async () => {
    const plus = { ...INSTANCES[0], requestheader: 'GET / HTTP/1.1\nCookie: sid=secret', responsebody: 'hello' };
    const text = report(alertOf(`<instances><instance>${elements(plus)}</instance></instances>`));
    const [found] = occurrences(await read(text));
    expect(found?.occurrence.untrusted.response).toBe('hello');
    expect(JSON.stringify(found)).not.toContain('secret');
  });

  it('keeps the whole instances of an alert that was cut short', async () => {
    const cut = modern.slice(0, modern.indexOf('<count>'));
    const { events, error } = await heardFrom(zapXmlFormat, cut);
    expect(occurrences(events)).toHaveLength(2);
    expect(error).toMatchObject({ code: 'report_unreadable', message: expect.stringMatching(/line \d+, column \d+/) });
    expect(hasEnd(events)).toBe(false);
  });

  it.each([
    ['another root', '<zap/>', /root element/],
    ['an alert without a name', report('<alertitem><riskcode>1</riskcode></alertitem>'), /without a name/],
    ['nothing', '', /nothing/],
    ['an external id', `<!DOCTYPE OWASPZAPReport SYSTEM "file:///etc/passwd">${modern}`, /./],
  ])('refuses %s', async (_what, text, why) => {
    expect((await heardFrom(zapXmlFormat, text)).error).toMatchObject({ code: 'report_unreadable', message: why });
  });

  it('is told by its root alone', () => {
    expect(zapXmlFormat.detect(Buffer.from(modern.slice(0, 70)))).toBe(true);
    expect(zapXmlFormat.detect(Buffer.from('<report><a>OWASPZAPReport</a></report>'))).toBe(false);
  });
});
