import fc from 'fast-check';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cycloneDxVex } from '../../../src/findings/exports/cyclonedx.ts';
import { openVex } from '../../../src/findings/exports/openvex.ts';
import { imageUrl, packageUrl } from '../../../src/findings/exports/purl.ts';
import type { ExportSource, Formatter } from '../../../src/findings/exports/source.ts';
import { tempFolder } from '../reports.ts';
import { cycloneDxValidator } from './schemas.ts';
import { anySource, finding, hostile, sourceOf, written } from './sources.ts';

/**
 * OpenVEX 0.2.0 as its specification has it. The official JSON Schema is in no npm package, so this is a second
 * description of the format, as strict as that one: unknown keys are refused, and so is a status without its words.
 */
const Iri = z.string().regex(/^[a-z][a-z0-9+.-]*:[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%[\]]+$/i);
const Identifiers = z.strictObject({ purl: z.string().regex(/^pkg:[a-z]+\/./) });
const Subcomponent = z.strictObject({ '@id': Iri, identifiers: Identifiers.optional() });
const Product = Subcomponent.extend({ subcomponents: z.array(Subcomponent).optional() });
const Statement = {
  vulnerability: z.strictObject({
    '@id': Iri.optional(),
    name: z.string().regex(/^[A-Za-z]\w*-[\w:-]+$/),
    aliases: z.array(z.string().min(1)).min(1).optional(),
  }),
  products: z.array(Product).min(1),
};
const OpenVex = z.strictObject({
  '@context': z.literal('https://openvex.dev/ns/v0.2.0'),
  '@id': Iri,
  author: z.string(),
  role: z.string(),
  timestamp: z.iso.datetime(),
  version: z.int().min(1),
  tooling: z.string(),
  statements: z
    .array(
      z.union([
        z.strictObject({ ...Statement, status: z.literal('affected'), action_statement: z.string().min(1) }),
        z.strictObject({ ...Statement, status: z.literal('under_investigation'), status_notes: z.string() }),
        z.strictObject({ ...Statement, status: z.literal('not_affected'), impact_statement: z.string().min(1) }),
        z.strictObject({
          ...Statement,
          status: z.literal('not_affected'),
          justification: z.literal('inline_mitigations_already_exist'),
          status_notes: z.string(),
        }),
      ]),
    )
    .min(1),
});

const validate = cycloneDxValidator();
const Bom = z.looseObject({
  components: z.array(z.looseObject({ 'bom-ref': z.string(), type: z.string() })),
  vulnerabilities: z.array(
    z.looseObject({
      id: z.string(),
      analysis: z.looseObject({ state: z.string() }),
      affects: z.array(z.object({ ref: z.string() })).min(1),
    }),
  ),
});

let scratch = '';
beforeEach(async () => {
  scratch = join(await tempFolder(), 'scratch');
});

function textOf(format: Formatter, source: ExportSource): string {
  rmSync(scratch, { force: true });
  return written(format(source, scratch));
}
const vexOf = (source: ExportSource) => OpenVex.parse(JSON.parse(textOf(openVex, source)));
function bomOf(source: ExportSource) {
  const bom: unknown = JSON.parse(textOf(cycloneDxVex, source));
  validate(bom);
  expect(validate.errors ?? []).toEqual([]);
  return Bom.parse(bom);
}

const cvesOf = (source: ExportSource): Set<string> => new Set([...source.findings()].flatMap(({ rule }) => rule.cves));
const duplicates = (items: readonly unknown[]): unknown[] => {
  const texts = items.map((item) => JSON.stringify(item));
  return texts.filter((text, at) => texts.indexOf(text) !== at);
};

const judged = (status: 'false_positive' | 'accepted_risk' | 'mitigated', reason: string) => ({
  suppression: { status, reason, expires_at: '2027-01-01T00:00:00.000Z' },
});
const cves = ['CVE-2024-3094'];

describe('VEX exports', () => {
  it('are valid and name exactly the CVEs of the findings, whatever the report said', () => {
    fc.assert(
      fc.property(anySource, (source) => {
        const expected = cvesOf(source);
        const bom = bomOf(source);
        expect(new Set(bom.vulnerabilities.map(({ id }) => id))).toEqual(expected);
        const refs = bom.components.map((component) => component['bom-ref']);
        expect(duplicates(refs)).toEqual([]);
        for (const { affects } of bom.vulnerabilities) {
          for (const { ref } of affects) expect(refs).toContain(ref);
          expect(duplicates(affects)).toEqual([]);
        }
        if (expected.size === 0) return;
        const { statements } = vexOf(source);
        expect(new Set(statements.map(({ vulnerability }) => vulnerability.name))).toEqual(expected);
        expect(duplicates(statements)).toEqual([]);
        for (const { products } of statements) expect(duplicates(products)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('stay valid with hostile text everywhere', () => {
    const source = sourceOf([
      hostile(),
      hostile({ location: { image: 'a b"<>@{}:1', package: '../x y%"', version: '<1>' } }),
      hostile({ location: { host: 'x y"<>' } }),
    ]);
    expect(vexOf(source).statements).toHaveLength(1);
    expect(bomOf(source).components).toHaveLength(3);
  });

  it('make one statement per CVE, with every product once', () => {
    const source = sourceOf([
      finding({ cves, solution: 'Update.' }),
      finding({ cves, solution: 'Update.', location: { ip: '10.0.0.1', port: 8443 } }),
      finding({ cves, solution: 'Update.', location: { ip: '10.0.0.2' } }),
    ]);
    expect(vexOf(source).statements).toEqual([
      {
        vulnerability: { '@id': 'https://nvd.nist.gov/vuln/detail/CVE-2024-3094', name: 'CVE-2024-3094' },
        status: 'affected',
        action_statement: 'Update.',
        products: [{ '@id': 'ip://10.0.0.1' }, { '@id': 'ip://10.0.0.2' }],
      },
    ]);
    expect(bomOf(source).vulnerabilities[0]).toMatchObject({
      affects: [{ ref: 'ip://10.0.0.1' }, { ref: 'ip://10.0.0.2' }],
    });
  });

  it('name packages by package URL, in the image they are in', () => {
    const location = { image: 'alpine:3.10', package: 'openssl', version: '1.1.1k-r0', fixed_version: '1.1.1l-r0' };
    const source = sourceOf([finding({ cves, rule_family: 'os-pkgs/alpine', location })]);
    const purl = 'pkg:apk/alpine/openssl@1.1.1k-r0';
    expect(vexOf(source).statements[0]).toMatchObject({
      action_statement: 'Update openssl to 1.1.1l-r0.',
      products: [
        {
          '@id': 'pkg:docker/alpine@3.10',
          identifiers: { purl: 'pkg:docker/alpine@3.10' },
          subcomponents: [{ '@id': purl, identifiers: { purl } }],
        },
      ],
    });
    expect(bomOf(source).components).toMatchObject([{ type: 'library', name: 'openssl', version: '1.1.1k-r0', purl }]);
  });

  it.each([
    ['false_positive', 'not_affected', { impact_statement: 'Judged a false positive: why' }, 'false_positive'],
    [
      'mitigated',
      'not_affected',
      { justification: 'inline_mitigations_already_exist', status_notes: 'why' },
      'not_affected',
    ],
    ['accepted_risk', 'affected', { action_statement: 'Risk accepted until 2027-01-01: why' }, 'exploitable'],
  ] as const)('say %s as %s', (status, expected, words, state) => {
    const source = sourceOf([finding({ cves, ...judged(status, 'why') })]);
    expect(vexOf(source).statements).toMatchObject([{ status: expected, ...words }]);
    expect(bomOf(source).vulnerabilities).toMatchObject([{ analysis: { state } }]);
  });

  it.each([
    { confidence: 'tentative' as const },
    { report_state: 'suppressed: under review' },
    { report_state: 'baseline: absent' },
  ])('leave open what the scanner or the report doubts: %o', (doubt) => {
    const source = sourceOf([finding({ cves, ...doubt })]);
    expect(vexOf(source).statements).toMatchObject([{ status: 'under_investigation' }]);
    expect(bomOf(source).vulnerabilities).toMatchObject([{ analysis: { state: 'in_triage' } }]);
  });

  it('let the worse of two judgements of one product speak, and keep products apart', () => {
    const source = sourceOf([
      finding({ cves, ...judged('false_positive', 'why') }),
      finding({ cves, rule_id: 'other', solution: 'Update.' }),
      finding({ cves, ...judged('false_positive', 'why'), location: { ip: '10.0.0.9' } }),
    ]);
    expect(vexOf(source).statements).toMatchObject([
      { status: 'affected', products: [{ '@id': 'ip://10.0.0.1' }] },
      { status: 'not_affected', products: [{ '@id': 'ip://10.0.0.9' }] },
    ]);
  });

  it('do not hide what nobody accepted behind a risk accepted at the same product', () => {
    const source = sourceOf([
      finding({ cves, ...judged('accepted_risk', 'why') }),
      finding({ cves, rule_id: 'other', solution: 'Update.' }),
    ]);
    expect(vexOf(source).statements).toMatchObject([{ status: 'affected', action_statement: 'Update.' }]);
    expect(bomOf(source).vulnerabilities).toMatchObject([{ analysis: { state: 'exploitable' } }]);
    expect(JSON.stringify(bomOf(source))).not.toContain('will_not_fix');
  });

  it.each([
    ['GHSA-56x4-j7p9-fcf9', 'GHSA-56x4-j7p9-fcf9', 'https://github.com/advisories/GHSA-56x4-j7p9-fcf9'],
    ['GO-2023-1840', 'GO-2023-1840', 'https://pkg.go.dev/vuln/GO-2023-1840'],
    ['RUSTSEC-2021-0003', 'RUSTSEC-2021-0003', 'https://rustsec.org/advisories/RUSTSEC-2021-0003'],
    ['osv-scanner/PYSEC-2021-7', 'PYSEC-2021-7', 'https://osv.dev/vulnerability/PYSEC-2021-7'],
    ['grype/GHSA-56x4-j7p9-fcf9-lodash', 'GHSA-56x4-j7p9-fcf9', 'https://github.com/advisories/GHSA-56x4-j7p9-fcf9'],
    ['TEMP-0841856-B18BAF', 'TEMP-0841856-B18BAF', 'https://security-tracker.debian.org/tracker/TEMP-0841856-B18BAF'],
    ['DLA-3482-1', 'DLA-3482-1', 'https://security-tracker.debian.org/tracker/DLA-3482-1'],
    ['RHSA-2023:1405', 'RHSA-2023:1405', 'https://access.redhat.com/errata/RHSA-2023:1405'],
    ['ALAS2-2021-1704', 'ALAS2-2021-1704', undefined],
    ['NSWG-ECO-428', 'NSWG-ECO-428', undefined],
    ['SNYK-JS-LODASH-590103', 'SNYK-JS-LODASH-590103', undefined],
  ])('name what has no CVE by its advisory: %s', (ruleId, name, url) => {
    const source = sourceOf([finding({ rule_id: ruleId }), finding({ rule_id: 'x509-expired' })]);
    expect(vexOf(source).statements).toMatchObject([
      { vulnerability: { name, ...(url === undefined ? {} : { '@id': url }) }, status: 'affected' },
    ]);
    expect(bomOf(source).vulnerabilities).toMatchObject([
      { id: name, ...(url === undefined ? {} : { source: { url } }) },
    ]);
  });

  it.each(['MONGO-2023-1840', 'x-GO-2023-1840', 'GO-2023-18400000000000', 'DS002', '10335', 'GHSA-1', 'AVD-AWS-0086'])(
    'take no check for an advisory: %s',
    (ruleId) => {
      expect(bomOf(sourceOf([finding({ rule_id: ruleId })])).vulnerabilities).toEqual([]);
    },
  );

  it('name a CVE by its advisories as well, where those are about it alone', () => {
    const source = sourceOf([
      finding({ cves, rule_id: 'GHSA-rxwq-x6h5-x525' }),
      finding({ cves, rule_id: 'GO-2024-2687' }),
      finding({ cves, rule_id: 'RHSA-2024:1' }),
      finding({ cves: [...cves, 'CVE-2024-1'.padEnd(13, '0')], rule_id: 'GHSA-1111-2222-3333' }),
    ]);
    const aliases = ['GHSA-rxwq-x6h5-x525', 'GO-2024-2687'];
    const byName = new Map(vexOf(source).statements.map(({ vulnerability }) => [vulnerability.name, vulnerability]));
    expect(byName.get('CVE-2024-3094')?.aliases).toEqual(aliases);
    expect(byName.get('CVE-2024-1000')?.aliases).toBeUndefined();
    const bom = bomOf(source).vulnerabilities.find(({ id }) => id === 'CVE-2024-3094');
    expect(bom).toMatchObject({ references: aliases.map((id) => ({ id })) });
  });

  it('say what they can when nothing has a CVE: CycloneDX that it is empty, OpenVEX that it cannot', () => {
    const source = sourceOf([finding()]);
    expect(bomOf(source)).toMatchObject({ components: [], vulnerabilities: [] });
    expect(() => textOf(openVex, source)).toThrow(/names a CVE or an advisory/);
  });

  it('pass their turn on for every finding while they sort, before there is anything to write', () => {
    const source = sourceOf(Array.from({ length: 300 }, (_, at) => finding({ cves, discriminator: String(at) })));
    for (const format of [openVex, cycloneDxVex]) {
      rmSync(scratch, { force: true });
      const pieces = [...format(source, scratch)];
      expect(pieces.findIndex((piece) => piece !== '')).toBeGreaterThanOrEqual(300);
    }
  });

  it('give the same bytes again', () => {
    const source = sourceOf([finding({ cves }), hostile()]);
    for (const format of [openVex, cycloneDxVex]) expect(textOf(format, source)).toBe(textOf(format, source));
  });

  it('are refused by the schema when they are wrong', () => {
    expect(
      validate({ bomFormat: 'CycloneDX', specVersion: '1.6', vulnerabilities: [{ analysis: { state: 'x' } }] }),
    ).toBe(false);
  });
});

describe('package URLs', () => {
  it.each([
    [{ package: '@scope/name', version: '1.0+b' }, 'npm', 'pkg:npm/%40scope/name@1.0%2Bb'],
    [{ package: 'org.apache:log4j', version: '2.0' }, 'lang-pkgs/jar', 'pkg:maven/org.apache/log4j@2.0'],
    [{ package: 'My_Lib' }, 'python-pkg', 'pkg:pypi/my-lib'],
    [{ package: 'github.com/A/b', version: 'v1' }, 'gomod', 'pkg:golang/github.com/a/b@v1'],
    [{ package: 'thing', version: '1' }, undefined, 'pkg:generic/thing@1'],
    [{ package: '../..' }, undefined, undefined],
    [{}, 'npm', undefined],
  ])('of %o (%s) is %s', (location, family, expected) => {
    expect(packageUrl(location, family)).toBe(expected);
  });

  it.each([
    ['alpine', 'pkg:docker/alpine'],
    ['library/alpine:3.10', 'pkg:docker/library/alpine@3.10'],
    ['ghcr.io/o/app@sha256:ab', 'pkg:docker/o/app@sha256:ab?repository_url=ghcr.io'],
    ['localhost:5000/a:1', 'pkg:docker/a@1?repository_url=localhost:5000'],
  ])('of the image %s is %s', (image, expected) => {
    expect(imageUrl(image)).toBe(expected);
  });
});
