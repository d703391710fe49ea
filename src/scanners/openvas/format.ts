import type { ReportFormat } from '../report-format.ts';
import { xmlHead } from '../xml-head.ts';
import { parseOpenvas } from './parse.ts';

/** Elements that stand at the beginning of every report of gvmd and its forerunners, and in no other `report`. */
const SIGNS: ReadonlySet<string> = new Set(['gmp', 'omp', 'report_format', 'scan_run_status', 'severity_class']);

/** Report XML of OpenVAS and Greenbone. docs/reports.md says what is read. */
export const openvasFormat: ReportFormat = {
  name: 'openvas',
  engine: 'openvas',
  detect(head) {
    const xml = xmlHead(head);
    if (xml?.root === 'report') return xml.names.some((name) => SIGNS.has(name));
    return xml?.root === 'get_reports_response' || xml?.root === 'get_results_response';
  },
  parse: parseOpenvas,
};
