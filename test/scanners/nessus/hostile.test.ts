import { describe, expect, it } from 'vitest';
import { child, escaped, host, item, report, tag, WHOLE } from './documents.ts';
import { hasEnd, itemsIn, placesIn, read, type Way } from './reading.ts';

const WAYS: readonly Way[] = ['fast', 'reference'];
const AT = /at byte \d+\.$/;

const refused = async (text: string | Uint8Array, way: Way, complete: number) => {
  const found = await read(text, way);
  expect({ code: found.code, items: itemsIn(found).length, ended: hasEnd(found) }).toEqual({
    code: 'report_unreadable',
    items: complete,
    ended: false,
  });
  return found.message ?? '';
};

describe.each(WAYS)('a damaged .nessus report, read the %s way', (way) => {
  const whole = report(host(item() + item() + item()));

  it.each([
    ['nothing at all', '', 0],
    ['white space', ' \n ', 0],
    ['another root', '<?xml version="1.0" ?>\n<NessusClientData_vwrong>\n</NessusClientData_vwrong>', 0],
    ['a tag that closes another', whole.replace('</ReportHost>', '</ReportHosts>'), 3],
    ['two roots', `${whole}<a/>`, 3],
    ['no more than its half', whole.slice(0, whole.lastIndexOf('<ReportItem')), 2],
    ['a cut in a character', Buffer.concat([Buffer.from(whole.slice(0, -40)), Buffer.from([0xe2, 0x82])]), 3],
    ['a lone &', whole.replace('A check', 'A & check'), 0],
    ['an entity that nothing defines', report(host(item() + item('<synopsis>&bomb;</synopsis>'))), 1],
    ['a character that XML does not have', report(host(item() + item('<plugin_output>\u{1}</plugin_output>'))), 1],
    ['a reference to such a character', report(host(item() + item('<plugin_output>&#1;</plugin_output>'))), 1],
    [']]> in a text', report(host(item() + item('<plugin_output>]]></plugin_output>'))), 1],
    ['an attribute twice', whole.replace('severity="2"', 'severity="2" severity="3"'), 0],
    ['no blank between attributes', whole.replace('" severity', '"severity'), 0],
    ['< in an attribute', whole.replace('A check', 'A < check'), 0],
    ['another encoding', `<?xml version="1.0" encoding="ISO-8859-1"?>${whole.slice(22)}`, 0],
  ])('is refused with its place: %s', async (_, text, complete) => {
    expect(await refused(text, way, complete)).toMatch(AT);
  });

  it('of version 1 is refused with what to do', async () => {
    expect(await refused('<NessusClientData><Targets/></NessusClientData>', way, 0)).toMatch(
      /old \.nessus format, version 1, at byte \d+/,
    );
  });

  it('is refused where bytes are not UTF-8, after what was before them', async () => {
    const at = whole.lastIndexOf('A check');
    const bytes = Buffer.from(whole);
    bytes[at] = 0xff;
    await refused(bytes, way, 2);
    // In the words of the host, behind a rule that is known already.
    const known = Buffer.from(report(host(item() + item(child('plugin_output', 'aXb')).repeat(3))));
    known[known.lastIndexOf('aXb') + 1] = 0xc3;
    await refused(known, way, 3);
  });

  it('names the byte', async () => {
    const text = report(host(item() + item().replace('</ReportItem>', '</ReportItems>')));
    const message = await refused(text, way, 1);
    const place = Number(/byte (\d+)\.$/.exec(message)?.[1]);
    const wrong = text.indexOf('</ReportItems>');
    expect(place).toBeGreaterThan(wrong);
    expect(place).toBeLessThanOrEqual(wrong + '</ReportItems>'.length);
  });

  it.each([
    ['an internal subset', '<!DOCTYPE x [<!ENTITY a "b">]>'],
    ['an external id', '<!DOCTYPE x SYSTEM "file:///etc/passwd">'],
  ])('is refused with %s', async (_, doctype) => {
    expect(await refused(whole.replace('?>\n', `?>${doctype}`), way, 0)).toMatch(/document type/);
  });

  it('is refused when it is nested without end', async () => {
    await refused(report(host(item() + item('<a>'.repeat(100) + '</a>'.repeat(100)))), way, 1);
  });

  it('is refused when one item holds too much', async () => {
    const part = child('plugin_output', 'x'.repeat(3 << 20));
    expect(await refused(report(host(item() + item(part.repeat(3)))), way, 1)).toMatch(/too long an item/);
    const many = item('<cve>x</cve>'.repeat(30_000));
    expect(await refused(report(host(item() + many)), way, 1)).toMatch(/too many values/);
    expect(await refused(report(host(item() + item(child('description', 'x'.repeat(5 << 20))))), way, 1)).toMatch(
      /too long a text/,
    );
  });

  it('is refused when an attribute is too long, or there are too many', async () => {
    await refused(report(host(item('', { name: 'x'.repeat(100_000) }))), way, 0);
    const many = Array.from({ length: 300 }, (_, index) => ` a${index}=""`).join('');
    await refused(whole.replace(' severity', `${many} severity`), way, 0);
  });
});

describe('a tag that closes another', () => {
  it('closes nothing: neither the item nor the host is whole', async () => {
    const text = report(host(item() + item()));
    const inItem = await read(text.replace(/<\/ReportItem>\n<\/ReportHost>/, '</ReportHost>'));
    expect(itemsIn(inItem)).toHaveLength(1);
    const inHost = await read(text.replace('</ReportHost>\n</Report>', '</Report>'));
    expect(itemsIn(inHost)).toHaveLength(2);
    for (const found of [inItem, inHost]) expect(placesIn(found)).toMatchObject([{ status: 'partial' }]);
  });

  it('is not the one before it', async () => {
    const found = await read(report(host(item() + item()).replace('</ReportHost>', '&nothing;</ReportHost>')));
    expect(itemsIn(found)).toHaveLength(2);
    expect(found.code).toBe('report_unreadable');
  });
});

describe('memory and time', () => {
  it.each([
    ['items without closing tags', '<ReportItem port="1" pluginID="2"/>', '<ReportItem></ReportItem>'],
    ['items that look alike to their last byte', item(child('description', 'x'.repeat(2_000))).slice(0, -1), '>'],
    ['white space', ' '.repeat(1_000), ''],
    ['comments', '<!-- <ReportItem -->', ''],
    ['openings in openings', '<ReportItem ', ''],
  ])('are not used up by many %s', async (_, part, end) => {
    const text = report(host(item() + part.repeat(Math.ceil((6 << 20) / part.length)) + end));
    const { code } = await read(text);
    expect([undefined, 'report_unreadable']).toContain(code);
  });

  it('do not grow with an item that never ends', async () => {
    async function* endless() {
      yield Buffer.from(report(host(item())).replace(/<\/ReportHost>[\s\S]*/, '<ReportItem pluginID="1"><a>'));
      for (let index = 0; index < 400; index += 1) yield Buffer.alloc(256 << 10, '<b>x</b>\n');
    }
    const { Readable } = await import('node:stream');
    const { parseNessus } = await import('../../../src/scanners/nessus/parse.ts');
    const before = process.memoryUsage();
    let peak = 0;
    const source = Readable.from(endless());
    source.on('data', () => undefined).pause();
    const found = async () => {
      for await (const event of parseNessus(source)) if (event.kind === 'end') throw new Error('it has no end');
    };
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().arrayBuffers)), 5);
    await expect(found()).rejects.toMatchObject({ code: 'report_unreadable' });
    clearInterval(watch);
    expect(peak - before.arrayBuffers).toBeLessThan(64 << 20);
  });
});

/** Documents made to look to the fast way like something else than they are. */
const LOOKS: readonly (readonly [string, string])[] = [
  ['an item in a comment', `${item()}<!-- ${item()} -->${item()}`],
  ['the end of an item in a comment', `${item()}<!-- </ReportItem> -->${item()}`],
  [
    'an item that ends early, and a comment that looks like its end',
    `${item().replace('</ReportItem>', '</ReportItem ><!-- </ReportItem> -->')}${item()}`,
  ],
  ['a comment inside an item', item('<synopsis>a<!-- </synopsis> -->b</synopsis>').repeat(3)],
  ['an item in CDATA', item(`<plugin_output><![CDATA[${item()}]]></plugin_output>`).repeat(3)],
  ['half an item in CDATA', item('<plugin_output><![CDATA[</plugin_output></ReportItem>]]></plugin_output>').repeat(3)],
  ['CDATA in two parts', item('<plugin_output><![CDATA[a]]><![CDATA[b]]></plugin_output>').repeat(3)],
  ['text and CDATA', item('<plugin_output>a &lt; <![CDATA[b &lt; c]]> d</plugin_output>').repeat(3)],
  ['CDATA with brackets', item('<plugin_output><![CDATA[a]]]]></plugin_output>').repeat(3)],
  [
    'CDATA in place of text behind a known rule',
    item(child('plugin_output', 'a')).repeat(2) + item('<plugin_output><![CDATA[<a>&b;]]></plugin_output>'),
  ],
  [
    'an element in the words of a known rule',
    item(child('plugin_output', 'a')).repeat(2) + item('<plugin_output>a<b>c</b>d</plugin_output>'),
  ],
  [
    'a comment in the words of a known rule',
    item(child('plugin_output', 'a')).repeat(2) + item('<plugin_output>a<!-- x -->d</plugin_output>'),
  ],
  ['an item in an item', item(item(), { name: 'outer' }).repeat(2)],
  ['items without a closing tag', '<ReportItem port="1" pluginID="2"/>'.repeat(4) + item()],
  ['another name that begins alike', `<ReportItems port="1"/>${item()}<ReportItemX></ReportItemX>${item()}`],
  ['attributes on several lines', item().replaceAll('" ', '"\n   ').repeat(3)],
  [
    'attributes in another order',
    '<ReportItem pluginID="3" severity="1" protocol="udp" port="53" svc_name="dns"></ReportItem>'.repeat(3),
  ],
  ['attributes in single quotes', item().replaceAll('"', "'").repeat(3)],
  ['line ends of Windows', item(child('plugin_output', 'a\r\nb\rc')).replaceAll('\n', '\r\n').repeat(3)],
  ['tabs and newlines in attributes', item('', { name: 'a\tb\nc' }).repeat(3)],
  ['two outputs', item(child('plugin_output', 'a') + child('plugin_output', 'b')).repeat(3)],
  ['elements with attributes', item('<attachment name="a" type="b">x</attachment>').repeat(3)],
  ['elements without content', item('<cve/><synopsis />').repeat(3)],
  ['white space in closing tags', item('<synopsis>a</synopsis >').repeat(3)],
  ['text between elements', item('words <synopsis>a</synopsis> words').repeat(3)],
  ['characters by number', item('<plugin_output>&#65;&#x1F600;&#10;&#13;</plugin_output>').repeat(3)],
  [
    'characters beyond ASCII',
    item(child('plugin_output', 'naïve – 世界 😀 \u{85}\u{7f}\u{2028}'), { name: 'Größe' }).repeat(3),
  ],
  ['a noncharacter', item() + item('<plugin_output>\u{ffff}</plugin_output>')],
  ['a number that is no character', item() + item('<plugin_output>&#xD800;</plugin_output>')],
  ['an entity without its end', item() + item('<plugin_output>&lt</plugin_output>') + item()],
  ['declarations between items', `${item()}<?php echo "</ReportItem>" ?>${item()}`],
  ['names with other prefixes', item('<x:description>a</x:description>').repeat(3)],
  [
    'an element named like a part of every object',
    item('<__proto__>a</__proto__><constructor>b</constructor>').repeat(3),
  ],
  ['an attribute named like a part of every object', item().replace(' severity', ' __proto__="x" severity').repeat(3)],
  ['a colon in an attribute name', item().replace(' severity', ' xmlns:x="y" severity').repeat(3)],
  ['> in texts and attributes', item('<plugin_output>a > b</plugin_output>').replace('A check', 'a > b').repeat(3)],
  ['places that differ', ['80', '0', '080', '00443', '65535'].map((port) => item('', { port })).join('')],
  [
    'a word of a known rule changed',
    item(child('description', 'aaaa')) + item(child('description', 'aaba')) + item(child('description', 'aaaa')),
  ],
  ['hosts in between', `${item()}</ReportHost>${host(item())}<ReportHost name="192.0.2.9">${item()}`],
  ['properties in between', `${item()}<HostProperties><tag name="host-ip">192.0.2.3</tag></HostProperties>${item()}`],
  ['an item outside of hosts', `</ReportHost>${item()}<ReportHost name="x">${item()}`],
];

describe('the fast way is not fooled by', () => {
  for (const [name, items] of LOOKS) {
    it(name, async () => {
      const bytes = Buffer.from(report(host(item(child('plugin_output', 'first')) + items + item())));
      const reference = await read(bytes, 'reference');
      for (const chunk of [1, 7, 100, 1 << 20]) {
        const fast = await read(bytes, 'fast', chunk);
        expect({ events: fast.events, code: fast.code }).toEqual({ events: reference.events, code: reference.code });
      }
    });
  }

  it.each([
    ['XML 1.1', '<?xml version="1.1"?>\n'],
    ['XML 1.1 after white space', '\n <?xml version="1.1"?>\n'],
    ['XML 1.1 after much white space', `${' '.repeat(300)}<?xml version="1.1"?>\n`],
    ['XML 1.0 after white space', '\n <?xml version="1.0"?>\n'],
    ['a byte order mark', '\u{feff}<?xml version="1.0"?>\n'],
    ['no declaration', ''],
    ['a document type', '<?xml version="1.0"?><!DOCTYPE NessusClientData_v2>'],
    ['a long declaration', `<?xml version = '1.0' encoding="utf-8" standalone="yes" ?>\n<!-- ${'x'.repeat(500)} -->`],
  ])('%s', async (_, declaration) => {
    const items = item(child('plugin_output', 'a\u{85}b\u{2028}c\u{7f}d')).repeat(3);
    const bytes = Buffer.from(report(host(items), { declaration }));
    const reference = await read(bytes, 'reference');
    const fast = await read(bytes);
    expect({ events: fast.events, code: fast.code }).toEqual({ events: reference.events, code: reference.code });
  });

  it.each([
    ['plain ones', tag('host-ip', '192.0.2.8')],
    ['a comment', `<!-- </HostProperties> -->${tag('host-ip', '192.0.2.8')}`],
    ['a tag in a comment', `<!-- ${tag('host-ip', '192.0.2.9')} -->${tag('host-ip', '192.0.2.8')}`],
    ['entities', tag('host-fqdn', 'a&b') + tag('a"b', '&') + tag('host-ip', '192.0.2.8')],
    ['a wrong entity', '<tag name="host-ip">&x;</tag>'],
    ['characters that XML does not have', '<tag name="host-ip">\u{1}</tag>'],
    ['CDATA', '<tag name="host-ip"><![CDATA[192.0.2.8]]></tag>'],
    ['more attributes', '<tag name="host-ip" x="y">192.0.2.8</tag>'],
    ['an attribute with >', '<tag name="host-ip" x="">192.0.2.8</tag><tag name="">">a</tag>'],
    ['no text', '<tag name="host-ip"/>'],
    ['an element', '<tag name="host-ip">192<b/>.0.2.8</tag>'],
    ['words', `x${tag('host-ip', '192.0.2.8')}x`],
    ['much white space', tag('host-ip', `${' '.repeat(2_000)}192.0.2.8`)],
    ['an item', `${item()}${tag('host-ip', '192.0.2.8')}`],
    ['properties', `<HostProperties>${tag('host-ip', '192.0.2.8')}</HostProperties>`],
    [
      'another element',
      `</HostProperties><x><HostProperties>${tag('host-ip', '192.0.2.8')}</HostProperties></x><HostProperties>`,
    ],
    ['no end', `</HostProperties>${item()}<HostProperties>`],
    ['line ends of Windows', tag('host-ip', '192.0.2.8').replaceAll('\n', '\r\n')],
  ])('properties with %s', async (_, properties) => {
    const bytes = Buffer.from(report(host(item() + item(), properties + WHOLE) + host(item())));
    const reference = await read(bytes, 'reference');
    for (const chunk of [10, 1 << 20]) {
      const fast = await read(bytes, 'fast', chunk);
      expect({ events: fast.events, code: fast.code }).toEqual({ events: reference.events, code: reference.code });
    }
  });

  it('what is said in a name', async () => {
    const text = report(host(item('', { name: escaped('<ReportItem pluginID="9">') }).repeat(3), WHOLE, '<ReportItem'));
    expect(await read(text)).toEqual(await read(text, 'reference'));
  });
});

describe.each(WAYS)('an attachment of an item, read the %s way', (way) => {
  const letters = 'QUJD&amp;\n'.repeat(700_000);
  const attached = (text: string): string => item(`<attachment name="a.png" type="image/png">${text}</attachment>`);

  it('may be of any length, since nobody reads it', async () => {
    const found = await read(report(host(attached(letters) + item())), way, 4_099);
    expect({ code: found.code, items: itemsIn(found).length, ended: hasEnd(found) }).toEqual({
      code: undefined,
      items: 2,
      ended: true,
    });
  });

  it('hides neither what is wrong behind it nor where', async () => {
    const text = report(host(attached(letters) + item())).replace('</ReportHost>', '</ReportHosts>');
    const message = await refused(text, way, 2);
    const byte = Number(/byte (\d+)/.exec(message)?.[1]);
    expect(Math.abs(byte - text.indexOf('</ReportHosts>'))).toBeLessThan(20);
  });

  it('is no reason to hold a text that is read, or a tag, of any length', async () => {
    const long = 'x'.repeat(9 << 20);
    await refused(report(host(item(child('plugin_output', long)))), way, 0);
    await refused(report(host(item(`<attachment name="${long}"/>`))), way, 0);
    await refused(report(host(attached(`${letters}<!-- ${long} -->`))), way, 0);
  });
});
