import fc from 'fast-check';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { nativeFormat } from '../../src/scanners/native/format.ts';
import { nmapFormat } from '../../src/scanners/nmap/format.ts';
import { openvasFormat } from '../../src/scanners/openvas/format.ts';
import type { ReportFormat } from '../../src/scanners/report-format.ts';
import { zapXmlFormat } from '../../src/scanners/zap/xml.ts';
import { contentOf, realFiles } from '../reports/real-files.ts';
import { heardFrom, type Heard } from './reading.ts';
import { fixture } from './nmap/reading.ts';

interface Sample {
  readonly name: string;
  readonly format: ReportFormat;
  readonly bytes: Buffer;
}

const openvasResult = (index: number): string =>
  `<result id="${index}"><host>192.0.2.${index % 250}<asset/></host><port>${index % 60_000}/tcp</port><nvt oid="1.3.${index % 9}">` +
  `<name>A check</name><tags>summary=s|solution=t</tags></nvt><severity>5.0</severity><description>seen ${index}</description></result>`;

const openvasParts = [
  '<report id="a"><report id="b"><gmp/><scan_run_status>Done</scan_run_status><results>',
  '</results></report></report>',
] as const;

const zapInstance = (index: number): string =>
  `<instance><uri>http://app.test/${index}</uri><method>GET</method><evidence>&lt;b&gt;</evidence></instance>`;

const zapParts = [
  '<OWASPZAPReport version="2"><site name="http://app.test" host="app.test" port="80"><alerts><alertitem><alert>A</alert><riskcode>1</riskcode><instances>',
  '</instances><solution>s</solution></alertitem></alerts></site></OWASPZAPReport>',
] as const;

const nmapPort = (index: number): string =>
  `<port protocol="tcp" portid="${(index % 65_535) + 1}"><state state="open"/><script id="banner" output="x"/></port>`;

const nmapParts = [
  '<nmaprun args="nmap"><host><status state="up"/><address addr="192.0.2.1" addrtype="ipv4"/><ports>',
  '</ports></host><runstats><finished exit="success"/></runstats></nmaprun>',
] as const;

const nativeHeader = {
  scanmux: 'findings',
  version: 1,
  engine: 'nmap',
  scan: {
    scan_id: 's',
    origin: 'run',
    state: 'completed',
    verdict: 'complete',
    access: 'untrusted',
    targets: [],
    created_at: '2026-11-20T10:00:00.000Z',
  },
  coverage: { requested: 0, tested: 0, partial: 0, unreachable: 0, not_tested: 0, looked_for: [], not_looked_for: [] },
  whole: true,
  filtered: [],
};
const nativeFinding = (index: number): string =>
  `${JSON.stringify({ rule_id: 'r', title: 't', severity: 'low', severity_source: 'rule', location: { ip: '192.0.2.1', port: index % 60_000 } })}\n`;

const repeated = (item: (index: number) => string, count: number): string =>
  Array.from({ length: count }, (_, index) => item(index)).join('');
const written = ([before, after]: readonly [string, string], item: (index: number) => string): Buffer =>
  Buffer.from(before + repeated(item, 12) + after);

const real = (folder: string, format: ReportFormat): Sample[] =>
  realFiles(folder)
    .filter((name) => name.endsWith('.xml') && !name.includes('defused'))
    .map((name) => ({ name, format, bytes: contentOf(folder, name) }));

const SAMPLES: readonly Sample[] = [
  { name: 'an OpenVAS report', format: openvasFormat, bytes: written(openvasParts, openvasResult) },
  { name: 'a ZAP report', format: zapXmlFormat, bytes: written(zapParts, zapInstance) },
  { name: 'an nmap report', format: nmapFormat, bytes: fixture('vuln.xml') },
  {
    name: 'a findings file',
    format: nativeFormat,
    bytes: Buffer.from(`${JSON.stringify(nativeHeader)}\n${repeated(nativeFinding, 12)}{"end":true,"findings":12}\n`),
  },
  ...real('openvas', openvasFormat),
  ...real('zap', zapXmlFormat),
  ...real('nmap', nmapFormat),
];

/** What a finding is about: facts of a ZAP alert that was cut are not all known. */
const placesOf = ({ events }: Heard): unknown[] =>
  events.flatMap((event) => {
    if (event.kind === 'finding') return [event.finding.location];
    return event.kind === 'occurrence' ? [event.occurrence.location] : [];
  });

function expectPlainRefusal({ error }: Heard): void {
  if (error === undefined) return;
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({
    code: 'report_unreadable',
    message: expect.stringMatching(/\b(line|byte) \d+|cut short|is empty/),
  });
}

describe.each(SAMPLES)('$name', ({ format, bytes }) => {
  it('that was cut anywhere gives what was whole, in order, and no end', async () => {
    const whole = placesOf(await heardFrom(format, bytes));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 3 }), async (length) => {
        const heard = await heardFrom(format, bytes.subarray(0, length));
        expectPlainRefusal(heard);
        const found = placesOf(heard);
        expect(found).toEqual(whole.slice(0, found.length));
        expect(heard.events.some(({ kind }) => kind === 'end')).toBe(false);
      }),
      { numRuns: 25 },
    );
  });

  it('with wrong bytes is read or refused, in words', async () => {
    const change = fc.tuple(fc.integer({ min: 0, max: bytes.length - 1 }), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), async (changes) => {
        const changed = Buffer.from(bytes);
        for (const [at, byte] of changes) changed[at] = byte;
        expectPlainRefusal(await heardFrom(format, changed));
      }),
      { numRuns: 40 },
    );
  });

  it('with pieces moved about is read or refused, in words', async () => {
    const at = fc.integer({ min: 0, max: bytes.length });
    await fc.assert(
      fc.asyncProperty(at, at, at, async (a, b, c) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const moved = Buffer.concat([
          bytes.subarray(0, c),
          bytes.subarray(from, Math.min(to, from + 5_000)),
          bytes.subarray(c),
        ]);
        expectPlainRefusal(await heardFrom(format, moved));
      }),
      { numRuns: 25 },
    );
  });
});

describe('a report of many items', () => {
  const MANY = 20_000;

  async function countOf(
    format: ReportFormat,
    [before, after]: readonly [string, string],
    item: (index: number) => string,
  ): Promise<number> {
    let count = 0;
    const events: AsyncIterable<ReportEvent> = format.parse(
      Readable.from(
        (function* pieces() {
          yield Buffer.from(before);
          for (let index = 0; index < MANY; index += 100)
            yield Buffer.from(repeated((offset) => item(index + offset), 100));
          yield Buffer.from(after);
        })(),
      ),
    );
    for await (const { kind } of events) if (kind === 'finding' || kind === 'occurrence') count += 1;
    return count;
  }

  it.each([
    ['OpenVAS', openvasFormat, openvasParts, openvasResult, MANY],
    ['ZAP, in one alert', zapXmlFormat, zapParts, zapInstance, MANY],
    ['nmap, at one host', nmapFormat, nmapParts, nmapPort, MANY * 2],
    [
      'scanmux',
      nativeFormat,
      [`${JSON.stringify(nativeHeader)}\n`, `{"end":true,"findings":${MANY}}\n`] as const,
      nativeFinding,
      MANY,
    ],
  ])('gives each of them: %s', async (_what, format, parts, item, expected) => {
    expect(await countOf(format, parts, item)).toBe(expected);
  });
});

describe('a hostile XML report', () => {
  const around: readonly (readonly [string, ReportFormat, readonly [string, string]])[] = [
    [
      'OpenVAS',
      openvasFormat,
      ['<report><report><results><result><description>', '</description></result></results></report></report>'],
    ],
    [
      'ZAP',
      zapXmlFormat,
      [
        '<OWASPZAPReport><site><alerts><alertitem><alert>A</alert><instances><instance><evidence>',
        '</evidence></instance></instances></alertitem></alerts></site></OWASPZAPReport>',
      ],
    ],
  ];

  it.each(around)(
    'of %s may nest only so deep, and repeat only so much in one item',
    async (_what, format, [before, after]) => {
      const deep = before + '<a>'.repeat(100_000) + '</a>'.repeat(100_000) + after;
      expect((await heardFrom(format, deep)).error).toMatchObject({
        code: 'report_unreadable',
        message: /nested too deep/,
      });
      const wide = before + '<a/>'.repeat(200_000) + after;
      expect((await heardFrom(format, wide)).error).toMatchObject({ code: 'report_unreadable', message: /too large/ });
    },
  );

  it.each(around)('of %s takes megabytes of output, cut to size', async (_what, format, [before, after]) => {
    const { events } = await heardFrom(format, before + 'x'.repeat(3_000_000) + after);
    const found = events.flatMap((event) => {
      if (event.kind === 'finding') return [event.finding];
      return event.kind === 'occurrence' ? [event.occurrence] : [];
    });
    expect(found).toHaveLength(1);
    const output = found[0]?.untrusted.output ?? '';
    expect(output.length).toBeLessThanOrEqual(300_000);
    expect(output.slice(-60)).toMatch(/x… \(\d{6,7} characters left out\)$/);
  });

  it.each([
    ['an entity', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['an external id', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'],
    ['an undefined entity', '<nmaprun>&x;</nmaprun>'],
    ['two roots', '<nmaprun/><nmaprun/>'],
    ['another encoding', '<?xml version="1.0" encoding="UTF-16"?><nmaprun/>'],
    ['a NUL', '<nmaprun>\0</nmaprun>'],
  ])('with %s is refused by every format', async (_what, text) => {
    for (const format of [openvasFormat, zapXmlFormat, nmapFormat])
      expect((await heardFrom(format, text)).error).toMatchObject({ code: 'report_unreadable' });
  });
});
