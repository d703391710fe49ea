import { ExportFormat } from '../../model/contract/export.ts';
import { csv } from './csv.ts';
import { cycloneDxVex } from './cyclonedx.ts';
import { html } from './html.ts';
import { json, jsonLines } from './json.ts';
import { markdown } from './markdown.ts';
import { MOST_FOR_PEOPLE } from './most-urgent.ts';
import { openVex } from './openvex.ts';
import { sarif } from './sarif.ts';
import type { ExportSource, Formatter } from './source.ts';
import { vulnerabilityNames } from './vulnerability-ids.ts';

/** Every format that is written from findings; `native` is a copy. */
export const WRITTEN_FORMATS = ExportFormat.exclude(['native']).options;
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

export interface FormatFacts {
  readonly mediaType: string;
  readonly extension: string;
  readonly write: Formatter;
  /** Suppressed findings are always in it: saying what became of them is what it is for. */
  readonly tellsSuppressed: boolean;
  /** How many findings of the export are in the file. */
  readonly holds: (source: ExportSource) => number;
}

const all = ({ counts }: ExportSource): number => counts.total;
const forPeople = ({ counts }: ExportSource): number => Math.min(counts.total, MOST_FOR_PEOPLE);

function withVulnerability(source: ExportSource): number {
  let found = 0;
  for (const { rule, findings } of source.rules()) if (vulnerabilityNames(rule).length > 0) found += findings;
  return found;
}

const format = (mediaType: string, extension: string, write: Formatter, holds = all): FormatFacts => ({
  mediaType,
  extension,
  write,
  tellsSuppressed: holds === withVulnerability,
  holds,
});

export const FORMATS: Readonly<Record<WrittenFormat, FormatFacts>> = {
  sarif: format('application/sarif+json', 'sarif', sarif),
  json: format('application/json', 'json', json),
  jsonl: format('application/x-ndjson', 'jsonl', jsonLines),
  csv: format('text/csv; charset=utf-8', 'csv', csv),
  markdown: format('text/markdown; charset=utf-8', 'md', markdown, forPeople),
  html: format('text/html; charset=utf-8', 'html', html, forPeople),
  openvex: format('application/json', 'openvex.json', openVex, withVulnerability),
  cyclonedx_vex: format('application/vnd.cyclonedx+json', 'cdx.json', cycloneDxVex, withVulnerability),
};

/** Part of the name of every file: raise it when a format writes the same findings in other words. */
export const FORMATS_VERSION = 2;
