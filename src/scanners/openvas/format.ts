import type { ReportFormat } from '../report-format.ts';
import { xmlHead } from '../xml-head.ts';
import { parseOpenvas } from './parse.ts';

/** Elements that reports of gvmd and its forerunners have, and no other `report`; `nvt` also where the rest was cut away. */
const SIGNS: ReadonlySet<string> = new Set(['gmp', 'omp', 'report_format', 'scan_run_status', 'severity_class', 'nvt']);

/** Report XML of OpenVAS and Greenbone. docs/reports.md says what is read. */
export const openvasFormat: ReportFormat = {
  name: 'openvas',
  engine: 'openvas',
  detect(head) {
    const xml = xmlHead(head);
    if (xml?.root === 'report')
      return xml.rootAttributes.includes('format_id') || xml.names.some((name) => SIGNS.has(name));
    return xml?.root === 'get_reports_response' || xml?.root === 'get_results_response';
  },
  parse: parseOpenvas,
};
