import { createHash } from 'node:crypto';
import type { Cvss, RuleFacts } from '../../model/finding.ts';
import { jsonElements, jsonMembers, leftOut } from './source.ts';
import type { ExportHeader, Formatter } from './source.ts';
import { openVexLedger } from './vex-ledger.ts';
import type { VexStatement } from './vex-ledger.ts';
import type { VexJudgement, VexProduct } from './vex-judgement.ts';
import { webUri } from './uri.ts';
import { vulnerabilityId } from './vulnerability-ids.ts';

/** The same for the same scan, in the shape of a UUID (RFC 9562, version 8: made by the application). */
function serialNumber(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ];
  return `urn:uuid:${parts.join('-')}`;
}

const COMPONENT_TYPE = {
  package: 'library',
  image: 'container',
  host: 'device',
  site: 'application',
  file: 'file',
} as const satisfies Record<VexProduct['kind'], string>;

/** A package in two images is two components: what holds in one need not hold in the other. */
const refOf = ({ id, within }: VexProduct): string => (within ? `${within.id}#${id}` : id);

const componentJson = (product: VexProduct): string =>
  JSON.stringify({
    type: COMPONENT_TYPE[product.kind],
    'bom-ref': refOf(product),
    name: product.name,
    ...(product.version && { version: product.version }),
    ...(product.purl && { purl: product.purl }),
    ...(product.within && { properties: [{ name: 'scanmux:within', value: product.within.id }] }),
  });

const METHOD = { '2.0': 'CVSSv2', '3.0': 'CVSSv3', '3.1': 'CVSSv31', '4.0': 'CVSSv4' } as const satisfies Record<
  Cvss['version'],
  string
>;

function ratings({ severity, severity_source: severitySource, cvss, epss, epss_source: epssSource }: RuleFacts) {
  return [
    { source: { name: severitySource }, severity, method: 'other' },
    ...cvss.map(({ version, score, vector }) => ({ score, method: METHOD[version], ...(vector && { vector }) })),
    ...(epss === undefined ? [] : [{ source: { name: epssSource ?? 'EPSS' }, score: epss, method: 'other' }]),
  ];
}

/** Source: CycloneDX 1.6, vulnerabilities[].analysis. */
function analysis({ reason, text }: VexJudgement) {
  switch (reason) {
    case 'open':
      return { state: 'exploitable', detail: text };
    case 'accepted_risk':
      return { state: 'exploitable', response: ['will_not_fix'], detail: text };
    case 'unconfirmed':
      return { state: 'in_triage', detail: text };
    case 'false_positive':
      return { state: 'false_positive', detail: text };
    case 'mitigated':
      return { state: 'not_affected', justification: 'protected_by_mitigating_control', detail: text };
  }
}

const uniqueWebUris = (references: readonly string[]): string[] => [
  ...new Set(references.map(webUri).filter((uri) => uri !== undefined)),
];

const referenceOf = (alias: string) => {
  const { source } = vulnerabilityId(alias);
  return { id: alias, source: source ?? { name: 'unknown' } };
};

function vulnerabilityHead({ id, aliases, rule, judgement }: VexStatement) {
  const { source } = vulnerabilityId(id);
  const cwes = rule.cwes.map((cwe) => Number(cwe.slice('CWE-'.length)));
  const known = [...new Set(cwes)].filter((number) => number > 0 && Number.isSafeInteger(number));
  return {
    id,
    ...(source && { source }),
    ...(aliases.length > 0 && { references: aliases.map(referenceOf) }),
    ratings: ratings(rule),
    ...(known.length > 0 && { cwes: known }),
    description: rule.title,
    ...(rule.description && { detail: rule.description }),
    ...(rule.solution && { recommendation: rule.solution }),
    advisories: uniqueWebUris(rule.references).map((url) => ({ url })),
    analysis: analysis(judgement),
    properties: [
      { name: 'scanmux:rule_id', value: rule.rule_id },
      { name: 'scanmux:kev', value: String(rule.kev) },
      { name: 'scanmux:exploit_available', value: String(rule.exploit_available) },
    ],
  };
}

function* vulnerabilityJson(statement: VexStatement): Generator<string> {
  yield `\n{${jsonMembers(vulnerabilityHead(statement))},"affects":[`;
  let separator = '';
  for (const product of statement.products) {
    yield separator + JSON.stringify({ ref: refOf(product) });
    separator = ',';
  }
  yield ']}';
}

const metadata = ({ scan, engine, source, summary, coverage }: ExportHeader, filtered: readonly string[]) => ({
  timestamp: scan.finished_at ?? scan.created_at,
  tools: {
    components: [
      { type: 'application', name: source.tool || engine, ...(source.version && { version: source.version }) },
      { type: 'application', name: 'scanmux' },
    ],
  },
  properties: [
    { name: 'scanmux:scan_id', value: scan.scan_id },
    { name: 'scanmux:verdict', value: scan.verdict },
    { name: 'scanmux:summary', value: summary },
    ...coverage.not_looked_for.map((value) => ({ name: 'scanmux:not_looked_for', value })),
    ...filtered.map((value) => ({ name: 'scanmux:filtered', value })),
  ],
});

/** CycloneDX 1.6 VEX: vulnerabilities by CVE or advisory with the components they affect; suppressed findings included. */
export const cycloneDxVex: Formatter = function* cycloneDxVex(source, scratchPath) {
  const { header } = source;
  const ledger = yield* openVexLedger(source, scratchPath);
  try {
    const head = {
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      serialNumber: serialNumber(JSON.stringify([header.scan.scan_id, header.filtered])),
      version: 1,
      metadata: metadata(header, leftOut(source)),
    };
    yield `{${jsonMembers(head)},"components":[`;
    yield* jsonElements(ledger.products(), componentJson);
    yield '\n],"vulnerabilities":[';
    let separator = '';
    for (const statement of ledger.statements()) {
      yield separator;
      yield* vulnerabilityJson(statement);
      separator = ',';
    }
    yield '\n]}\n';
  } finally {
    ledger.close();
  }
};
