import { cancelScan } from './cancel-scan.ts';
import { compareScans } from './compare-scans.ts';
import { exportReport } from './export-report.ts';
import { getFinding } from './get-finding.ts';
import { getQueueStatus } from './get-queue-status.ts';
import { getScanResults } from './get-scan-results.ts';
import { getScanStatus } from './get-scan-status.ts';
import { importReport } from './import-report.ts';
import { listScanners } from './list-scanners.ts';
import { listScans } from './list-scans.ts';
import { planScan } from './plan-scan.ts';
import { runAuthenticatedScan } from './run-authenticated-scan.ts';
import { runUntrustedScan } from './run-untrusted-scan.ts';
import { searchFindings } from './search-findings.ts';
import { suppressFinding } from './suppress-finding.ts';
import type { AnyTool } from './tool.ts';
import { waitForScan } from './wait-for-scan.ts';

/** Every tool, in the order clients see them. */
export const TOOLS: readonly AnyTool[] = [
  runUntrustedScan,
  runAuthenticatedScan,
  planScan,
  getScanStatus,
  waitForScan,
  cancelScan,
  listScans,
  getScanResults,
  getFinding,
  searchFindings,
  compareScans,
  suppressFinding,
  exportReport,
  importReport,
  listScanners,
  getQueueStatus,
];
