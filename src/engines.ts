import type { Catalogues } from './scans/known-checks.ts';
import { baselineCatalogue } from './scanners/baseline/catalogue.ts';
import { baselineFormat } from './scanners/baseline/format.ts';
import { baselineType } from './scanners/baseline/scanner.ts';
import { grypeFormat } from './scanners/grype/parse.ts';
import { nativeFormat } from './scanners/native/format.ts';
import { nessusFormat } from './scanners/nessus/format.ts';
import { nessusType, tenableVmType } from './scanners/nessus/nessus-type.ts';
import { nmapCatalogue } from './scanners/nmap/catalogue.ts';
import { nmapFormat } from './scanners/nmap/format.ts';
import { nmapType } from './scanners/nmap/nmap.ts';
import { nucleiFormat } from './scanners/nuclei/parse.ts';
import { openvasFormat } from './scanners/openvas/format.ts';
import type { ReportFormat } from './scanners/report-format.ts';
import { sarifFormat } from './scanners/sarif/parse.ts';
import type { ScannerType } from './scanners/scanner.ts';
import { trivyFormat } from './scanners/trivy/parse.ts';
import { zapJsonFormat } from './scanners/zap/json.ts';
import { zapXmlFormat } from './scanners/zap/xml.ts';

/** Engines that can run scans, by `type` in `scanners.yaml`. */
export const ENGINES: Readonly<Record<string, ScannerType>> = {
  baseline: baselineType,
  nmap: nmapType,
  nessus: nessusType,
  tenable_vm: tenableVmType,
};

/** What engines look for, whether it was ever found or not. */
export const CATALOGUES: Catalogues = new Map([
  ['baseline', baselineCatalogue()],
  ['nmap', nmapCatalogue()],
]);

/** Kinds of report that can be imported, in the order errors name them. docs/reports.md lists them. */
export const REPORT_FORMATS: readonly ReportFormat[] = [
  nessusFormat,
  nmapFormat,
  openvasFormat,
  nucleiFormat,
  zapJsonFormat,
  zapXmlFormat,
  trivyFormat,
  grypeFormat,
  sarifFormat,
  nativeFormat,
  baselineFormat,
];
