import { AppError } from '../../model/errors.ts';
import { jsonMembers } from './source.ts';
import type { Formatter } from './source.ts';
import { openVexLedger } from './vex-ledger.ts';
import type { VexLedger, VexStatement } from './vex-ledger.ts';
import type { VexJudgement, VexProduct } from './vex-judgement.ts';
import { vulnerabilityId } from './vulnerability-ids.ts';

/** OpenVEX wants one of these per status, and for `not_affected` never both. Source: OpenVEX 0.2.0, status. */
function statusMembers({ status, reason, text }: VexJudgement): Readonly<Record<string, string>> {
  switch (reason) {
    case 'open':
    case 'accepted_risk':
      return { status, action_statement: text };
    case 'unconfirmed':
      return { status, status_notes: text };
    case 'false_positive':
      return { status, impact_statement: text };
    case 'mitigated':
      return { status, justification: 'inline_mitigations_already_exist', status_notes: text };
  }
}

const component = ({ id, purl }: { readonly id: string; readonly purl?: string }) => ({
  '@id': id,
  ...(purl && { identifiers: { purl } }),
});

const productJson = (product: VexProduct): string =>
  JSON.stringify(
    product.within ? { ...component(product.within), subcomponents: [component(product)] } : component(product),
  );

function vulnerability({ id, aliases }: VexStatement) {
  const { name, source } = vulnerabilityId(id);
  return { ...(source && { '@id': source.url }), name, ...(aliases.length > 0 && { aliases }) };
}

function* statementJson(statement: VexStatement): Generator<string> {
  const { judgement, products } = statement;
  const head = {
    vulnerability: vulnerability(statement),
    ...statusMembers(judgement),
  };
  yield `\n{${jsonMembers(head)},"products":[`;
  let separator = '';
  for (const product of products) {
    yield separator + productJson(product);
    separator = ',';
  }
  yield ']}';
}

function* statementsJson(ledger: VexLedger): Generator<string> {
  let separator = '';
  for (const statement of ledger.statements()) {
    yield separator;
    yield* statementJson(statement);
    separator = ',';
  }
  // The schema wants at least one statement, and there is no true one to make.
  if (separator === '')
    throw new AppError(
      'invalid_request',
      'No finding of this export names a CVE or an advisory (GHSA, GO, RUSTSEC, ...), and OpenVEX wants at least one.',
      {
        hint: 'Take format cyclonedx_vex, which may be empty, or json, sarif, csv, html, which hold every finding; or widen the filters.',
      },
    );
}

/** OpenVEX 0.2.0: statements by CVE or advisory, suppressed findings included, since their status is what the format is for. */
export const openVex: Formatter = function* openVex(source, scratchPath) {
  const { scan, summary, engine } = source.header;
  const ledger = yield* openVexLedger(source, scratchPath);
  try {
    const head = {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': `urn:scanmux:openvex:${scan.scan_id}`,
      author: 'scanmux',
      role: `Scanner results of ${engine}`,
      timestamp: scan.finished_at ?? scan.created_at,
      version: 1,
      tooling: summary,
    };
    yield `{${jsonMembers(head)},"statements":[`;
    yield* statementsJson(ledger);
    yield '\n]}\n';
  } finally {
    ledger.close();
  }
};
