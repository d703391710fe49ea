import type { Place } from '../../model/coverage.ts';
import type { RuleFacts } from '../../model/finding.ts';
import { scopeLine } from '../../model/native.ts';
import {
  SARIF_EXTRA_VERSION,
  SARIF_MAX_PLACES,
  SARIF_MAX_SCOPE_CHARS,
  SARIF_MAX_SCOPES,
} from '../../model/sarif-extra.ts';
import type { SarifRunExtra } from '../../model/sarif-extra.ts';
import { sarifResult } from './sarif-result.ts';
import type { RuleRef } from './sarif-result.ts';
import { cweTaxonomy, sarifRule } from './sarif-rule.ts';
import { jsonElements, jsonMembers, leftOut } from './source.ts';
import type { ExportHeader, ExportSource, Formatter } from './source.ts';

/** The errata 01 schema: the same rules as the first edition, with its mistakes corrected. */
const SCHEMA_URI = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

/** More CWEs than there are: a report that invents them must not fill memory. The rest stay as tags. */
const MAX_CWES = 5_000;
/** Places that were not looked at, told one by one. */
const MAX_NOTIFICATIONS = 1_000;

interface Survey {
  readonly refOf: (ruleRow: number) => RuleRef;
  readonly cwes: ReadonlyMap<string, number>;
}

/** First pass over the rules: one descriptor per rule id, and the CWEs they name. Eight bytes per row. */
function* surveyed(source: ExportSource): Generator<string, Survey> {
  const first = new Int32Array(source.ruleRows).fill(-1);
  const index = new Int32Array(source.ruleRows);
  const cwes = new Map<string, number>();
  let count = 0;
  for (const { ruleRow, rule } of source.rules()) {
    yield '';
    for (const cwe of rule.cwes) {
      if (cwes.size < MAX_CWES && !cwes.has(cwe)) cwes.set(cwe, cwes.size);
    }
    const name = source.nameOf(ruleRow);
    if (first[name] !== -1) continue;
    first[name] = ruleRow;
    index[name] = count;
    count += 1;
  }
  const refOf = (ruleRow: number): RuleRef => {
    const name = source.nameOf(ruleRow);
    return { index: index[name] ?? 0, isWhole: first[name] === ruleRow };
  };
  return { refOf, cwes };
}

function* descriptors(source: ExportSource, refOf: (ruleRow: number) => RuleRef): Generator<RuleFacts> {
  for (const { ruleRow, rule } of source.rules()) if (refOf(ruleRow).isWhole) yield rule;
}

function* notifications(source: ExportSource): Generator<object> {
  const { error, coverage } = source.header;
  if (error) yield { level: 'error', message: { text: `${error.code}: ${error.message}` } };
  for (const text of coverage.not_looked_for)
    yield { level: 'note', message: { text: `Not looked for: ${text}` }, descriptor: { id: 'not_looked_for' } };
  let told = 0;
  let left = 0;
  for (const { place, status, reason } of source.places()) {
    if (status === 'tested') continue;
    if (told >= MAX_NOTIFICATIONS) {
      left += 1;
      continue;
    }
    told += 1;
    const why = reason === undefined ? '' : ` (${reason})`;
    yield {
      level: 'warning',
      message: { text: `${place}: ${status.replace('_', ' ')}${why}` },
      descriptor: { id: status },
    };
  }
  if (left > 0) yield { level: 'warning', message: { text: `${left} more places were not fully looked at.` } };
}

/** Successful is only a scan that looked at everything it was asked to: a consumer must not read a gap as clean. */
const invocation = (source: ExportSource) => {
  const { scan, summary } = source.header;
  return {
    executionSuccessful: scan.state === 'completed' && scan.verdict === 'complete',
    ...(scan.started_at && { startTimeUtc: scan.started_at }),
    ...(scan.finished_at && { endTimeUtc: scan.finished_at }),
    toolExecutionNotifications: [...notifications(source)],
    properties: { verdict: scan.verdict, state: scan.state, summary },
  };
};

function placesOf(source: ExportSource): { readonly places: Place[]; readonly isCut: boolean } {
  const places: Place[] = [];
  for (const place of source.places()) {
    if (places.length === SARIF_MAX_PLACES) return { places, isCut: true };
    places.push(place);
  }
  return { places, isCut: false };
}

/** All or none: some scopes take away, so a part of them could claim what all of them do not. */
function scopesOf(source: ExportSource): { readonly scopes: SarifRunExtra['scopes']; readonly isCut: boolean } {
  const scopes = Array.from(source.scopes(), (scope) => scopeLine(scope).scope);
  const isCut = scopes.length > SARIF_MAX_SCOPES || JSON.stringify(scopes).length > SARIF_MAX_SCOPE_CHARS;
  return { scopes: isCut ? [] : scopes, isCut };
}

function runExtra(source: ExportSource): SarifRunExtra {
  const { engine, scan, coverage, whole } = source.header;
  const { places, isCut: lacksPlaces } = placesOf(source);
  const { scopes, isCut: lacksScopes } = scopesOf(source);
  return {
    version: SARIF_EXTRA_VERSION,
    engine,
    scan,
    coverage,
    whole,
    filtered: leftOut(source),
    places,
    scopes,
    cut: lacksPlaces || lacksScopes,
  };
}

const driver = ({ engine, source }: ExportHeader) => ({
  name: source.tool || engine,
  ...(source.version && { version: source.version }),
});

/** SARIF 2.1.0 (OASIS): one run of one engine, converted by scanmux. */
export const sarif: Formatter = function* sarif(source) {
  const { header } = source;
  const { refOf, cwes } = yield* surveyed(source);
  const hasCwes = cwes.size > 0;
  const taxonomy = hasCwes ? { supportedTaxonomies: [{ name: 'CWE', index: 0 }] } : {};
  yield `{"$schema":${JSON.stringify(SCHEMA_URI)},"version":"2.1.0","runs":[{"tool":{"driver":{`;
  yield `${jsonMembers({ ...driver(header), ...taxonomy })},"rules":[`;
  yield* jsonElements(descriptors(source, refOf), (rule) => JSON.stringify(sarifRule(rule, cwes)));
  yield '\n]}},\n';
  const frame = {
    conversion: { tool: { driver: { name: 'scanmux' } } },
    automationDetails: { id: `scanmux/${header.scan.scan_id}` },
    invocations: [invocation(source)],
    ...(hasCwes && { taxonomies: [cweTaxonomy(cwes)] }),
    columnKind: 'utf16CodeUnits',
    properties: { scanmux: runExtra(source) },
  };
  yield `${jsonMembers(frame)},\n"results":[`;
  yield* jsonElements(source.findings(), sarifResult(refOf));
  yield '\n]}]}\n';
};
