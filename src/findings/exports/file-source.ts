import { z } from 'zod';
import { noSeverities, RuleFacts } from '../../model/finding.ts';
import { findingId } from '../../model/ids.ts';
import { hostRefused } from '../../model/target.ts';
import { cleanLine, lineText } from '../../model/untrusted.ts';
import type { Row } from '../../platform/sqlite.ts';
import { knowsHost } from '../filter.ts';
import type { Suppressions } from '../findings.ts';
import { StoredOccurrence } from '../layout.ts';
import { placeOfRow, readScopes } from '../looked.ts';
import type { OpenFindings } from '../open-findings.ts';
import { damaged } from '../reading.ts';
import { selectFindings } from '../select.ts';
import type { SelectInput } from '../select.ts';
import { fingerprintAt, suppressedIn } from '../suppressed.ts';
import type { Suppressed } from '../suppressed.ts';
import type { ExportedFinding, ExportHeader, ExportSource } from './source.ts';

/** What the record of a scan says of it; the rest of the header stands in the findings file. */
export type RecordHeader = Omit<ExportHeader, 'whole' | 'source'>;

export interface SourceQuery {
  readonly filter: SelectInput;
  readonly suppressions: Suppressions;
}

const Source = z.object({
  tool: lineText(200).optional(),
  version: lineText(100).optional(),
  title: lineText(300).optional(),
});

function metaOf({ db }: OpenFindings): Pick<ExportHeader, 'whole' | 'source'> {
  const rows = db.prepare("SELECT key, value FROM meta WHERE key IN ('ended', 'source')").all();
  const meta = new Map(rows.map(({ key, value }) => [key, String(value)]));
  const { tool, version, title } = Source.parse(JSON.parse(meta.get('source') ?? '{}'));
  return {
    whole: meta.get('ended') === 'true',
    source: { ...(tool && { tool }), ...(version && { version }), ...(title && { title }) },
  };
}

const jsonOf = (file: OpenFindings, row: Row | undefined): unknown => {
  if (typeof row?.['json'] !== 'string') throw damaged(file.path);
  return JSON.parse(row['json']);
};

const judgementAt = (suppressed: Suppressed, index: number): Pick<ExportedFinding, 'suppression'> => {
  const entry = suppressed.entryAt(index);
  if (!entry) return {};
  const { status, reason, expiresAt } = entry;
  return { suppression: { status, reason: cleanLine(reason, 2_000), expires_at: new Date(expiresAt).toISOString() } };
};

/**
 * A findings file as a source: columns say which findings, words are read as they are written.
 * @throws AppError invalid_request for filters that mean nothing; while it is gone through storage_unusable
 */
export function fileSource(
  file: OpenFindings,
  record: RecordHeader,
  { filter, suppressions }: SourceQuery,
): ExportSource {
  if (!knowsHost(file, filter)) throw hostRefused();
  const { matches, bySeverity, suppressed, totalUnfiltered } = selectFindings(file, filter, suppressions);
  const judged = suppressedIn(file, suppressions);
  const ruleWords = file.db.prepare('SELECT json FROM rule WHERE id = ?');
  const bodyWords = file.db.prepare('SELECT json FROM body WHERE id = ?');
  const ruleAt = (id: number): RuleFacts => RuleFacts.parse(jsonOf(file, ruleWords.get(id)));
  const { scanId } = file;
  return {
    header: { ...record, ...metaOf(file) },
    counts: {
      total: matches.length,
      bySeverity,
      totalUnfiltered,
      suppressed: filter.include_suppressed === true ? noSeverities() : suppressed,
    },
    *findings() {
      let ruleRow = -1;
      let rule: RuleFacts | undefined;
      for (const index of matches) {
        const row = file.rule[index] ?? 0;
        if (rule === undefined || row !== ruleRow) [ruleRow, rule] = [row, ruleAt(row)];
        yield {
          findingId: findingId(scanId, index + 1),
          fingerprint: fingerprintAt(file, index),
          ruleRow,
          rule,
          occurrence: StoredOccurrence.parse(jsonOf(file, bodyWords.get(file.body[index] ?? 0))),
          ...judgementAt(judged, index),
        };
      }
    },
    ruleRows: file.rules.count,
    nameOf: (ruleRow) => file.rules.name[ruleRow] ?? 0,
    *rules() {
      const uses = new Uint32Array(file.rules.count);
      for (const index of matches) {
        const ruleRow = file.rule[index] ?? 0;
        uses[ruleRow] = (uses[ruleRow] ?? 0) + 1;
      }
      for (const [ruleRow, findings] of uses.entries())
        if (findings > 0) yield { ruleRow, rule: ruleAt(ruleRow), findings };
    },
    *places() {
      const rows = file.db.prepare('SELECT place, status, reason, login FROM place ORDER BY place').iterate();
      for (const row of rows) yield placeOfRow(row);
    },
    scopes: () => readScopes(file),
  };
}

/** A scan that left no findings file: it ended before it looked at anything. */
export const emptySource = (record: RecordHeader): ExportSource => ({
  header: { ...record, whole: false, source: {} },
  counts: { total: 0, bySeverity: noSeverities(), totalUnfiltered: 0, suppressed: noSeverities() },
  findings: () => [],
  ruleRows: 0,
  nameOf: () => 0,
  rules: () => [],
  places: () => [],
  scopes: () => [],
});
