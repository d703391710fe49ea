import { createCancelScan } from './cancel.ts';
import { createCompareScans } from './compare-scans.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createDescribeScope } from './describe-scope.ts';
import type { ScanDeps } from './deps.ts';
import { createExportReport } from './export-report.ts';
import { createGetFinding } from './get-finding.ts';
import { createImportReport } from './import-report.ts';
import { createListScanners } from './list-scanners.ts';
import { createListScans } from './list-scans.ts';
import { createPlanScan } from './plan.ts';
import { createGetQueueStatus } from './queue-report.ts';
import { createNoteRefusal } from './note-refusal.ts';
import { createGetScanResults } from './results.ts';
import { createReadReport } from './read-report.ts';
import { createSearchFindings } from './search-findings.ts';
import { createGetScanStatus } from './status.ts';
import { createSubmitScan } from './submit.ts';
import { createSuppressFinding } from './suppress-finding.ts';
import { createSuppressed } from './suppressions.ts';
import { createCountFindings } from './tally.ts';
import { createWaitForScan } from './wait.ts';
import { createNewestEvent, createWatchScan } from './watch.ts';

/** Everything a caller can ask for, over whatever it is asked: MCP, the command line, later HTTP. */
export type UseCases = ReturnType<typeof createUseCases>;

export function createUseCases(deps: ScanDeps) {
  const counting = { ...deps, countFindings: createCountFindings(deps) };
  const wait = createWaitForScan(counting);
  const status = createGetScanStatus(counting);
  const exportReport = createExportReport(deps);
  return {
    submit: createSubmitScan({ ...deps, wait, status }),
    plan: createPlanScan(deps),
    status,
    wait,
    cancel: createCancelScan(deps),
    listScans: createListScans(deps),
    results: createGetScanResults(counting),
    finding: createGetFinding(deps),
    importReport: createImportReport(counting),
    exportReport,
    readReport: createReadReport(exportReport),
    suppressFinding: createSuppressFinding(deps),
    suppressed: createSuppressed(deps),
    compare: createCompareScans(deps),
    search: createSearchFindings(deps),
    listScanners: createListScanners(deps),
    queueStatus: createGetQueueStatus(deps),
    deadLetters: createDeadLetters(deps),
    describeScope: createDescribeScope(deps),
    watch: createWatchScan(deps),
    newestEvent: createNewestEvent(deps),
    noteRefusal: createNoteRefusal(deps),
  };
}
