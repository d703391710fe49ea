import { scopeLine } from '../../model/native.ts';
import { jsonElements, jsonMembers, leftOut, memoLast } from './source.ts';
import type { ExportedFinding, ExportSource, Formatter } from './source.ts';

/** A finding as JSON with every public key: `NativeFindingLine`. */
export function findingJson(engine: string): (finding: ExportedFinding) => string {
  const ruleMembers = memoLast(jsonMembers);
  return ({ findingId, fingerprint, rule, occurrence, suppression }) => {
    const own = { ...occurrence, ...(suppression && { suppression }) };
    return `{${jsonMembers({ finding_id: findingId, fingerprint, engine })},${ruleMembers(rule)},${jsonMembers(own)}}`;
  };
}

const sourceMember = ({ source }: ExportSource['header']) => (Object.keys(source).length > 0 ? { source } : {});

/** One JSON object: the scan, what was looked at, and all findings. */
export const json: Formatter = function* json(source) {
  const { header, counts } = source;
  const { scan, engine, coverage, error, summary } = header;
  const head = {
    summary,
    scan,
    engine,
    ...sourceMember(header),
    verdict: scan.verdict,
    coverage,
    ...(error && { error }),
    filtered: leftOut(source),
    total: counts.total,
    by_severity: counts.bySeverity,
    total_unfiltered: counts.totalUnfiltered,
    suppressed: { by_severity: counts.suppressed },
  };
  yield `{${jsonMembers(head)},\n"places":[`;
  yield* jsonElements(source.places(), (place) => JSON.stringify(place));
  yield '\n],\n"findings":[';
  yield* jsonElements(source.findings(), findingJson(engine));
  yield '\n]}\n';
};

/** scanmux's own lines (`model/native.ts`), which `import_report` reads back. */
export const jsonLines: Formatter = function* jsonLines(source) {
  const { header } = source;
  const { scan, engine, coverage, whole } = header;
  const filtered = leftOut(source);
  const head = { scanmux: 'findings', version: 1, engine, scan, coverage, ...sourceMember(header), whole, filtered };
  yield `${JSON.stringify(head)}\n`;
  for (const place of source.places()) yield `${JSON.stringify({ place })}\n`;
  for (const scope of source.scopes()) yield `${JSON.stringify(scopeLine(scope))}\n`;
  const toJson = findingJson(engine);
  for (const finding of source.findings()) yield `${toJson(finding)}\n`;
  yield `${JSON.stringify({ end: true, findings: source.counts.total })}\n`;
};
