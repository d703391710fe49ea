import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SEVERITIES } from '../../../src/model/finding.ts';
import { sayWhetherThere } from '../../reports/real-files.ts';
import { child, host, item, report } from './documents.ts';
import { FOLDER, itemsIn, placesIn, read, realReports } from './reading.ts';

const comparable = ({ events, code }: Awaited<ReturnType<typeof read>>) => ({ events, code });

/** Few rules, so that most items are like one before. */
const shapes = fc.record({
  id: fc.constantFrom('0', '19506', '10180', '1000', '2000', '104410'),
  severity: fc.constantFrom('0', '1', '2', '3', '4'),
  port: fc.constantFrom('0', '22', '443'),
  words: fc.constantFrom('', 'One.', 'Zwei: ö', 'a &amp; b'),
  output: fc.oneof(
    fc.constant(undefined),
    fc.string({ unit: 'grapheme-composite', maxLength: 50 }),
    fc.constantFrom('<b>', 'a & b', ']]', '&amp;', 'is considered as dead', 'Credentialed checks : yes'),
  ),
});
const hosts = fc.array(fc.array(shapes, { maxLength: 12 }), { maxLength: 4 });
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cs}\u{fffe}\u{ffff}]/gu, '');

describe('generated .nessus reports', () => {
  it('give each item once, with what it says, in chunks of any length', async () => {
    await fc.assert(
      fc.asyncProperty(hosts, fc.integer({ min: 1, max: 5_000 }), async (all, chunk) => {
        const text = report(
          all
            .map((items, index) =>
              host(
                items
                  .map(({ words, output, ...shape }) => {
                    const said = output === undefined ? '' : child('plugin_output', printable(output));
                    return item(child('description', words) + said, shape);
                  })
                  .join(''),
                undefined,
                `192.0.2.${index}`,
              ),
            )
            .join(''),
        );
        const fast = await read(text, 'fast', chunk);
        expect(fast).toEqual(await read(text, 'reference'));
        const flat = all.flatMap((items, index) => items.map((found) => ({ ...found, ip: `192.0.2.${index}` })));
        expect(
          itemsIn(fast).map(({ rule_id, severity, location }) => [rule_id, severity, location.ip, location.port ?? 0]),
        ).toEqual(
          flat.map(({ id, severity, ip, port }) => [`nessus:${id}`, SEVERITIES[Number(severity)], ip, Number(port)]),
        );
        expect(placesIn(fast)).toHaveLength(all.length);
      }),
      { numRuns: 150 },
    );
  });
});

const INSERTS = [
  '<',
  '>',
  '&',
  '"',
  ']]>',
  '<!--',
  '-->',
  '<![CDATA[',
  '</ReportItem>',
  '<ReportItem ',
  '<?x',
  '\0',
  '\r',
  '&#0;',
  ' ',
  '/',
];

/** One change to bytes: what bit rot, cut transfers and attackers do. */
const changes = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  kind: fc.oneof(
    fc.record({ set: fc.integer({ min: 0, max: 255 }) }),
    fc.record({ remove: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ repeat: fc.integer({ min: 1, max: 3_000 }) }),
    fc.record({ insert: fc.constantFrom(...INSERTS) }),
    fc.record({ cut: fc.constant(true) }),
  ),
});

type Change = (typeof changes)['generate'] extends (...args: never[]) => { value: infer T } ? T : never;

function changed(bytes: Buffer, { at, kind }: Change): Buffer {
  const from = Math.floor(at * bytes.length);
  const [before, after] = [bytes.subarray(0, from), bytes.subarray(from)];
  if ('set' in kind) return Buffer.concat([before, Buffer.from([kind.set]), after.subarray(1)]);
  if ('remove' in kind) return Buffer.concat([before, after.subarray(kind.remove)]);
  if ('repeat' in kind) return Buffer.concat([before, after.subarray(0, kind.repeat), after]);
  if ('insert' in kind) return Buffer.concat([before, Buffer.from(kind.insert), after]);
  return before;
}

/**
 * The report without its policy and all but the first items of each host: small enough to be tried often. Only what comes
 * for the third time is recognised by its bytes.
 */
function shortened(bytes: Buffer): Buffer {
  const text = bytes.toString('utf8');
  const from = text.indexOf('<Report ');
  const hostsOf = text.slice(from).split(/(?<=<\/ReportHost>)/);
  const few = hostsOf.slice(0, 5).map((one) => {
    const items = one.split(/(?<=<\/ReportItem>)/);
    return `${items.slice(0, 8).join('')}${one.includes('</ReportHost>') ? '</ReportHost>' : ''}`;
  });
  return Buffer.from(`<?xml version="1.0" ?>\n<NessusClientData_v2>${few.join('')}</Report></NessusClientData_v2>`);
}

describe('changed .nessus reports of other projects', () => {
  sayWhetherThere('nessus');

  const reports = realReports().filter((name) => !name.startsWith('neg-'));

  for (const name of reports) {
    it(`are read the same both ways, or refused: ${name}`, async () => {
      const whole = readFileSync(join(FOLDER, name));
      const short = shortened(whole);
      expect(itemsIn(await read(short)).length).toBeGreaterThan(5);
      await fc.assert(
        fc.asyncProperty(fc.array(changes, { minLength: 1, maxLength: 3 }), async (all) => {
          const bytes = all.reduce(changed, short);
          const fast = comparable(await read(bytes));
          expect(fast).toEqual(comparable(await read(bytes, 'reference')));
          expect([undefined, 'report_unreadable']).toContain(fast.code);
        }),
        { numRuns: 400 },
      );
      // The policy is most of a real file.
      await fc.assert(
        fc.asyncProperty(changes, async (change) => {
          const { code } = await read(changed(whole, change));
          expect([undefined, 'report_unreadable']).toContain(code);
        }),
        { numRuns: 8 },
      );
    });
  }
});
