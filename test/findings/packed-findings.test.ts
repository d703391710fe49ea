import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Occurrence } from '../../src/model/finding.ts';
import { createPacker, unpack } from '../../src/findings/packed-findings.ts';
import type { FindingBatch, UnpackedFinding } from '../../src/findings/packed-findings.ts';

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

function packed(occurrences: readonly Occurrence[]): FindingBatch[] {
  const batches: FindingBatch[] = [];
  const packer = createPacker((batch) => void batches.push(batch));
  occurrences.forEach((occurrence, id) => {
    packer.addRule(`{"id":${id}}`);
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
    expect(Math.max(...batches.map((batch) => batch.rules.length))).toBeLessThanOrEqual(256);
    expect(unpacked(batches).map(({ occurrence }) => occurrence)).toEqual([...many, ...long]);
    expect(batches.flatMap(({ rules }) => rules)).toHaveLength(1_030);
  });

  it('hold a finding that is longer than a batch', () => {
    const occurrence: Occurrence = { location: {}, untrusted: { output: 'x'.repeat(400_000), title: '世界' } };
    expect(unpacked(packed([occurrence]))[0]?.occurrence).toEqual(occurrence);
  });

  it('are none when there was none, but for rules', () => {
    expect(packed([])).toEqual([]);
    const batches: FindingBatch[] = [];
    const packer = createPacker((batch) => void batches.push(batch));
    packer.addRule('{}');
    packer.flush();
    expect(batches).toMatchObject([{ rules: ['{}'] }]);
    expect(unpacked(batches)).toEqual([]);
  });
});
