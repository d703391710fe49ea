import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestCvss, Occurrence, RuleFacts } from '../../src/model/finding.ts';
import { createPacker, memoryOf, unpack, unpackRules } from '../../src/findings/packed-findings.ts';
import type { FindingBatch, UnpackedFinding } from '../../src/findings/packed-findings.ts';
import type { UnpackedRule } from '../../src/findings/packed-rules.ts';
import { isPlain } from '../../src/findings/plain-text.ts';

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.constantFrom('', 'Größe', '世界😀', '"\\\n'));
const optional = { requiredKeys: [] };
const anyOccurrence = fc
  .record(
    {
      location: fc.record({ ip: text, port: fc.nat(65_535), url: text }, optional),
      untrusted: fc.record({ output: text, banner: text, title: text, response: text }, optional),
      discriminator: text,
      compliance: fc.constantFrom('passed', 'failed'),
      report_state: text,
    },
    { requiredKeys: ['location'] },
  )
  .map((input) => Occurrence.parse(input));

const ruleOf = (id: number): RuleFacts =>
  RuleFacts.parse({ rule_id: `rule-${id}`, title: 'A title', severity: 'low', severity_source: 'rule' });

const word = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom('Größe', '世界😀', '"\\', 'a b'));
const anyRule = fc
  .record(
    {
      rule_id: word,
      title: word,
      severity: fc.constantFrom('info', 'low', 'medium', 'high', 'critical'),
      severity_source: word,
      severity_rated: fc.boolean(),
      confidence: fc.constantFrom('certain', 'firm', 'tentative'),
      rule_family: word,
      description: word,
      solution: word,
      references: fc.array(word, { maxLength: 3 }),
      cvss: fc.array(
        fc.record(
          {
            version: fc.constantFrom('2.0', '3.0', '3.1', '4.0'),
            score: fc.double({ min: 0, max: 10, noNaN: true }),
            vector: fc.constant('AV:N'),
          },
          { requiredKeys: ['version', 'score'] },
        ),
        { maxLength: 3 },
      ),
      cves: fc.array(fc.constantFrom('CVE-2024-1234', 'CVE-1999-0001', 'CVE-2024-123456789'), { maxLength: 3 }),
      cwes: fc.array(fc.constantFrom('CWE-79', 'CWE-1'), { maxLength: 2 }),
      epss: fc.double({ min: 0, max: 1, noNaN: true }),
      epss_source: word,
      vpr: fc.double({ min: 0, max: 10, noNaN: true }),
      kev: fc.boolean(),
      kev_source: word,
      exploit_available: fc.boolean(),
    },
    { requiredKeys: ['rule_id', 'title', 'severity', 'severity_source'] },
  )
  .map((input) => RuleFacts.parse(input));

function packed(occurrences: readonly Occurrence[]): FindingBatch[] {
  const batches: FindingBatch[] = [];
  const packer = createPacker((batch) => void batches.push(batch));
  occurrences.forEach((occurrence, id) => {
    packer.addRule(ruleOf(id));
    packer.add('nessus', { id, ruleId: `rule-${id}` }, occurrence);
  });
  packer.flush();
  return batches;
}

function unpacked(batches: readonly FindingBatch[]): UnpackedFinding[] {
  const findings: UnpackedFinding[] = [];
  for (const batch of batches) unpack(batch, (finding) => void findings.push(finding));
  return findings;
}

function unpackedRules(batches: readonly FindingBatch[]): UnpackedRule[] {
  const rules: UnpackedRule[] = [];
  for (const batch of batches) unpackRules(batch, (rule) => void rules.push(rule));
  return rules;
}

describe('packed rules', () => {
  it('come out as they went in, whatever their texts are', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 12 }), (rules) => {
        const batches: FindingBatch[] = [];
        const packer = createPacker((batch) => void batches.push(batch));
        for (const rule of rules) packer.addRule(rule);
        packer.flush();
        const out = unpackedRules(batches);
        // -0 is no score that JSON could tell from 0.
        expect(out.map(({ json }) => JSON.parse(json))).toEqual(rules.map((rule) => JSON.parse(JSON.stringify(rule))));
        expect(
          out.map(({ ruleId, words, solution, cves, cvss, epss }) => [ruleId, words, solution, cves, cvss, epss]),
        ).toEqual(
          rules.map((rule) => [
            rule.rule_id,
            rule.description === undefined ? rule.title : `${rule.title}\n${rule.description}`,
            rule.solution ?? '',
            rule.cves,
            (bestCvss(rule) ?? -1) + 0,
            (rule.epss ?? -1) + 0,
          ]),
        );
        for (const rule of out) expect(rule.isPlain).toBe(isPlain(rule.ruleId + rule.words + rule.solution));
      }),
    );
  });

  it('come out the same when memory is used again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyRule, anyOccurrence), { minLength: 1, maxLength: 12 }), (items) => {
        const findings: UnpackedFinding[] = [];
        const rules: UnpackedRule[] = [];
        const packer = createPacker((batch) => {
          unpackRules(batch, (rule) => void rules.push(rule));
          unpack(batch, (finding) => void findings.push(finding));
          packer.reuse(memoryOf(batch));
        });
        items.forEach(([rule, occurrence], id) => {
          packer.addRule(rule);
          packer.add('nessus', { id, ruleId: rule.rule_id }, occurrence);
          packer.flush();
        });
        expect(findings.map(({ occurrence }) => occurrence)).toEqual(items.map(([, occurrence]) => occurrence));
        expect(rules.map(({ json }) => JSON.parse(json))).toEqual(
          items.map(([rule]) => JSON.parse(JSON.stringify(rule))),
        );
      }),
    );
  });
});

describe('packed findings', () => {
  it('come out as they went in, whatever their texts are', () => {
    fc.assert(
      fc.property(fc.array(anyOccurrence, { maxLength: 20 }), (occurrences) => {
        const findings = unpacked(packed(occurrences));
        expect(findings.map(({ occurrence }) => occurrence)).toEqual(occurrences);
        expect(findings.map(({ rule, ruleId }) => [rule, ruleId])).toEqual(
          occurrences.map((_, id) => [id, `rule-${id}`]),
        );
        for (const { locationJson, occurrence } of findings)
          expect(JSON.parse(locationJson)).toEqual(occurrence.location);
      }),
    );
  });

  it('come in batches of bounded number and size, in order and with their rules', () => {
    const output = '世'.repeat(20_000);
    const many = Array.from({ length: 1_000 }, (_, n) => Occurrence.parse({ location: { port: n } }));
    const long = Array.from({ length: 30 }, (_, n) =>
      Occurrence.parse({ location: { port: n }, untrusted: { output } }),
    );
    const batches = packed([...many, ...long]);
    expect(Math.max(...batches.map((batch) => batch.text.length))).toBeLessThan(400_000);
    expect(Math.max(...batches.map((batch) => unpackedRules([batch]).length))).toBeLessThanOrEqual(256);
    expect(unpacked(batches).map(({ occurrence }) => occurrence)).toEqual([...many, ...long]);
    expect(unpackedRules(batches)).toHaveLength(1_030);
  });

  it('hold a finding that is longer than a batch', () => {
    const occurrence: Occurrence = { location: {}, untrusted: { output: 'x'.repeat(400_000), title: '世界' } };
    expect(unpacked(packed([occurrence]))[0]?.occurrence).toEqual(occurrence);
  });

  it('are none when there was none, but for rules', () => {
    expect(packed([])).toEqual([]);
    const batches: FindingBatch[] = [];
    const packer = createPacker((batch) => void batches.push(batch));
    packer.addRule(ruleOf(7));
    packer.flush();
    expect(unpackedRules(batches)).toMatchObject([{ ruleId: 'rule-7', words: 'A title' }]);
    expect(unpacked(batches)).toEqual([]);
  });
});
