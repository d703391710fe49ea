import type { ReportFormat } from '../report-format.ts';
import { xmlHead } from '../xml-head.ts';
import { parseNmap } from './parse.ts';

/** What nmap writes with `-oX`, and with `-oA` into the file that ends with .xml. */
export const nmapFormat: ReportFormat = {
  name: 'nmap',
  engine: 'nmap',
  detect: (head) => xmlHead(head)?.root === 'nmaprun',
  parse: (report) => parseNmap(report, { cut: 'unreadable' }),
};
