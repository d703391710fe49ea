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
import { createWithinQuota } from './quota.ts';
import { createGetQueueStatus } from './queue-report.ts';
import { createNoteRefusal } from './note-refusal.ts';
import { createGetScanResults } from './results.ts';
import { createReadReport } from './read-report.ts';
import { changing, reading, scopesOfRun } from './rights.ts';
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
  const change = changing(deps);
  const exportReport = reading(createExportReport(deps));
  // One for both: what is submitted and what is tried again take turns.
  const queueing = { ...deps, withinQuota: createWithinQuota(deps) };
  const letters = createDeadLetters(queueing);
  const suppressed = createSuppressed(deps);
  return {
    submit: change('run', scopesOfRun, createSubmitScan({ ...queueing, wait, status })),
    plan: reading(createPlanScan(deps)),
    status: reading(status),
    wait: reading(wait),
    cancel: change('cancel', () => ['scan:run'], createCancelScan(deps)),
    listScans: reading(createListScans(deps)),
    results: reading(createGetScanResults(counting)),
    finding: reading(createGetFinding(deps)),
    importReport: change('import', () => ['scan:run'], createImportReport(counting)),
    exportReport,
    readReport: createReadReport(exportReport),
    suppressFinding: change('suppress', () => ['finding:suppress'], createSuppressFinding(deps)),
    suppressed: {
      list: suppressed.list,
      takeBack: change('unsuppress', () => ['finding:suppress'], suppressed.takeBack),
    },
    compare: reading(createCompareScans(deps)),
    search: reading(createSearchFindings(deps)),
    listScanners: reading(createListScanners(deps)),
    queueStatus: reading(createGetQueueStatus(deps)),
    deadLetters: {
      list: letters.list,
      retry: change('dead_letter_retry', () => ['scan:run'], letters.retry),
      purge: change('dead_letter_purge', () => ['admin'], letters.purge),
    },
    describeScope: reading(createDescribeScope(deps)),
    watch: createWatchScan(deps),
    newestEvent: createNewestEvent(deps),
    noteRefusal: createNoteRefusal(deps),
  };
}
