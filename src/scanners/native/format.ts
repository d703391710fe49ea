import { jsonHead } from '../json-head.ts';
import type { ReportFormat } from '../report-format.ts';
import { parseNative } from './parse.ts';

/** What `export_report` writes as `jsonl`. Its header names the engine that the findings belong to. */
export const nativeFormat: ReportFormat = {
  name: 'jsonl',
  engine: 'imported',
  detect(head) {
    const json = jsonHead(head);
    return json?.root === 'object' && json.paths.get('scanmux') === 'findings';
  },
  parse: parseNative,
};
