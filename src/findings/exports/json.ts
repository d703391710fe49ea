import { NATIVE_MAX_LINE_BYTES, scopeLine } from '../../model/native.ts';
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

/**
 * All scopes or none: some of them take away, so a part of them could claim what all of them do not. None when one of
 * them is longer than a line may be.
 */
function scopeLines(source: ExportSource): string[] {
  const lines = Array.from(source.scopes(), (scope) => `${JSON.stringify(scopeLine(scope))}\n`);
  return lines.some((line) => Buffer.byteLength(line) > NATIVE_MAX_LINE_BYTES) ? [] : lines;
}

/** scanmux's own lines (`model/native.ts`), which `import_report` reads back. */
export const jsonLines: Formatter = function* jsonLines(source) {
  const { header } = source;
  const { scan, engine, coverage, whole } = header;
  const filtered = leftOut(source);
  const head = { scanmux: 'findings', version: 1, engine, scan, coverage, ...sourceMember(header), whole, filtered };
  yield `${JSON.stringify(head)}\n`;
  for (const place of source.places()) yield `${JSON.stringify({ place })}\n`;
  yield* scopeLines(source);
  const toJson = findingJson(engine);
  for (const finding of source.findings()) yield `${toJson(finding)}\n`;
  yield `${JSON.stringify({ end: true, findings: source.counts.total })}\n`;
};
