import { AppError } from '../../model/errors.ts';
import { jsonMembers } from './source.ts';
import type { Formatter } from './source.ts';
import { openVexLedger } from './vex-ledger.ts';
import type { VexLedger, VexStatement } from './vex-ledger.ts';
import type { VexJudgement, VexProduct } from './vex-judgement.ts';

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

function* statementJson({ cve, judgement, products }: VexStatement): Generator<string> {
  const head = {
    vulnerability: { '@id': `https://nvd.nist.gov/vuln/detail/${cve}`, name: cve },
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
      'No finding of this export names a CVE, so there is nothing to state in OpenVEX.',
      {
        hint: 'Widen the filters, or use another format: all others can say that nothing was found.',
      },
    );
}

/** OpenVEX 0.2.0: statements by CVE, suppressed findings included, since their status is what the format is for. */
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
