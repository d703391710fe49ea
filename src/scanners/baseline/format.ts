import type { ReportFormat } from '../report-format.ts';
import { parseReport } from './parse.ts';

/** The report that this engine writes itself, as it is kept beside a scan. */
export const baselineFormat: ReportFormat = {
  name: 'baseline',
  engine: 'baseline',
  detect: (head) => /^\uFEFF?\{"scanmux_baseline":/.test(head.subarray(0, 64).toString('utf8')),
  parse: (report) => parseReport(report, { cut: 'unreadable' }),
};
