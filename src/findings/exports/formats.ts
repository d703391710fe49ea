import { ExportFormat } from '../../model/contract/export.ts';
import { csv } from './csv.ts';
import { cycloneDxVex } from './cyclonedx.ts';
import { html } from './html.ts';
import { json, jsonLines } from './json.ts';
import { markdown } from './markdown.ts';
import { openVex } from './openvex.ts';
import { sarif } from './sarif.ts';
import type { Formatter } from './source.ts';

/** Every format that is written from findings; `native` is a copy. */
export const WRITTEN_FORMATS = ExportFormat.exclude(['native']).options;
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

export interface FormatFacts {
  readonly mediaType: string;
  readonly extension: string;
  readonly write: Formatter;
  /** Suppressed findings are always in it: saying what became of them is what it is for. */
  readonly tellsSuppressed: boolean;
}

const format = (mediaType: string, extension: string, write: Formatter, tellsSuppressed = false): FormatFacts => ({
  mediaType,
  extension,
  write,
  tellsSuppressed,
});

export const FORMATS: Readonly<Record<WrittenFormat, FormatFacts>> = {
  sarif: format('application/sarif+json', 'sarif', sarif),
  json: format('application/json', 'json', json),
  jsonl: format('application/x-ndjson', 'jsonl', jsonLines),
  csv: format('text/csv; charset=utf-8', 'csv', csv),
  markdown: format('text/markdown; charset=utf-8', 'md', markdown),
  html: format('text/html; charset=utf-8', 'html', html),
  openvex: format('application/json', 'openvex.json', openVex, true),
  cyclonedx_vex: format('application/vnd.cyclonedx+json', 'cdx.json', cycloneDxVex, true),
};

/** Part of the name of every file: raise it when a format writes the same findings in other words. */
export const FORMATS_VERSION = 2;
