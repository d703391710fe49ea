import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Occurrence, RuleFacts } from '../../../src/model/finding.ts';
import { hostWords, itemPlace, occurrenceOf } from '../../../src/scanners/nessus/occurrence.ts';
import { addText, CHILD, childOf, noChildren, type RawItem } from '../../../src/scanners/nessus/raw-item.ts';
import { ruleOf } from '../../../src/scanners/nessus/rule.ts';

/** What reports and attackers write: any text, and the words that are treated in their own way. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.lorem({ maxCount: 8 }),
  fc.constantFrom(
    '',
    ' ',
    'n/a',
    'N/A.',
    'true',
    'false',
    '7.5',
    '10.0',
    '11',
    '1e9',
    '0.97',
    'CVE-2024-3094',
    'cve-2024-3094, CVE-1999-0001',
    'CWE:79',
    '200',
    'CISA-KNOWN-EXPLOITED:2022/05/25',
    'CVSS2#AV:N/AC:L/Au:N/C:P/I:P/A:P',
    'CVSS:3.1/AV:N',
    'http://a.example/\n\nhttp://b.example/',
    'PASSED',
    'Critical',
    '\u{202e}a\u{0}',
    'x'.repeat(5_000),
    '\u{fe0f}'.repeat(60),
  ),
);
const texts = fc.array(text, { maxLength: 60, size: 'small' });
const NAMES = [
  'synopsis',
  'description',
  'solution',
  'see_also',
  'xref',
  'cve',
  'cwe',
  'risk_factor',
  'plugin_name',
  'cvss_base_score',
  'cvss_vector',
  'cvss3_base_score',
  'cvss3_vector',
  'cvss4_base_score',
  'cvss4_vector',
  'epss_score',
  'vpr_score',
  'cisa-known-exploited',
  'exploit_available',
  'compliance-check-name',
  'compliance-check-id',
  'compliance-info',
  'compliance-policy-value',
  'compliance-audit-file',
  'compliance-solution',
  'compliance-reference',
  'compliance-see-also',
];
const attributes = fc.record(
  { severity: text, pluginID: text, pluginName: text, pluginFamily: text },
  { requiredKeys: [] },
);
const items = fc.record({
  attributes,
  children: fc.dictionary(fc.constantFrom(...NAMES), texts, { maxKeys: 12 }).map((found) => {
    const children = noChildren();
    for (const [name, said] of Object.entries(found))
      for (const part of said) addText(children, childOf(name) ?? -1, part);
    return children;
  }),
});

/** Nothing but printable ASCII, tab and newline. */
const PLAIN = /^[\t\n\x20-\x7e]*$/;
const textsOf = ({ attributes: said, children }: RawItem): readonly string[] =>
  [...Object.values(said), ...children.flat()].filter((part) => part !== undefined);

const HOST_CHILDREN: Readonly<Record<number, string>> = {
  [CHILD.plugin_output]: 'plugin_output',
  [CHILD['compliance-actual-value']]: 'compliance-actual-value',
  [CHILD['compliance-error']]: 'compliance-error',
};

describe('what is made of an item', () => {
  it('is what the schema of rules makes of it', () => {
    fc.assert(
      fc.property(items, (item) => {
        const rule = ruleOf(item);
        expect(rule).toEqual(RuleFacts.parse(rule));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is the same when it is known to be plain', () => {
    fc.assert(
      fc.property(items, (item) => {
        const isPlain = textsOf(item).every((said) => PLAIN.test(said));
        expect(ruleOf({ ...item, isPlain })).toEqual(ruleOf(item));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is what the schema of occurrences makes of it', () => {
    const hosts = fc.constantFrom({}, { ip: '192.0.2.1' }, { host: 'a.example' }, { host: 'a', ip: '::1' });
    const places = fc.record({ port: fc.constantFrom('0', '1', '443', '65535'), svc_name: text, protocol: text });
    const children = fc.dictionary(
      fc.constantFrom('plugin_output', 'compliance-actual-value', 'compliance-error'),
      fc.oneof(
        text,
        fc.string({ unit: 'binary', minLength: 200, maxLength: 300 }).map((long) => long.repeat(100)),
      ),
    );
    const results = fc.constantFrom(undefined, 'passed', 'failed', 'warning', 'error');
    fc.assert(
      fc.property(hosts, places, children, fc.boolean(), results, (host, place, said, isAudit, compliance) => {
        const located = itemPlace(place);
        if (!located) throw new Error('every place of this test has a port');
        const words = hostWords((child) => said[HOST_CHILDREN[child] ?? ''], isAudit, compliance);
        const occurrence = occurrenceOf(host, located, words);
        expect(occurrence).toEqual(Occurrence.parse(occurrence));
        const isPlain = PLAIN.test(words.output ?? '');
        expect(occurrenceOf(host, located, { ...words, isPlain })).toEqual(occurrence);
      }),
      { numRuns: 1_000 },
    );
  });
});
