import { cancelScan } from '../../tools/cancel-scan.ts';
import { compareScans } from '../../tools/compare-scans.ts';
import { exportReport } from '../../tools/export-report.ts';
import { getFinding } from '../../tools/get-finding.ts';
import { getQueueStatus } from '../../tools/get-queue-status.ts';
import { getScanResults } from '../../tools/get-scan-results.ts';
import { getScanStatus } from '../../tools/get-scan-status.ts';
import { listScanners } from '../../tools/list-scanners.ts';
import { listScans } from '../../tools/list-scans.ts';
import { searchFindings } from '../../tools/search-findings.ts';
import type { AnyTool } from '../../tools/tool.ts';
import { followScan, pauseScan, resumeScan, retryDeadLetter, startScan } from './rest-tools.ts';

/** How a route answers: with the JSON of its use case, or in a way of its own. */
export type AnswerKind = 'json' | 'accepted' | 'status' | 'file' | 'events';

/** A use case as HTTP spells it. The router and the OpenAPI document are made from the same table. */
export interface Route {
  readonly method: 'get' | 'post';
  /** As OpenAPI writes it. What stands in braces is an argument; the others are in the query, or in the body of a POST. */
  readonly path: string;
  readonly tool: AnyTool;
  readonly answer: AnswerKind;
}

export const ROUTES: readonly Route[] = [
  { method: 'post', path: '/scans', tool: startScan, answer: 'accepted' },
  { method: 'get', path: '/scans', tool: listScans, answer: 'json' },
  { method: 'get', path: '/scans/{scan_id}', tool: getScanStatus, answer: 'status' },
  { method: 'post', path: '/scans/{scan_id}/cancel', tool: cancelScan, answer: 'json' },
  { method: 'post', path: '/scans/{scan_id}/pause', tool: pauseScan, answer: 'json' },
  { method: 'post', path: '/scans/{scan_id}/resume', tool: resumeScan, answer: 'json' },
  { method: 'get', path: '/scans/{scan_id}/findings', tool: getScanResults, answer: 'json' },
  { method: 'get', path: '/scans/{scan_id}/report/{format}', tool: exportReport, answer: 'file' },
  { method: 'get', path: '/scans/{scan_id}/events', tool: followScan, answer: 'events' },
  { method: 'get', path: '/findings', tool: searchFindings, answer: 'json' },
  { method: 'get', path: '/findings/{finding_id}', tool: getFinding, answer: 'json' },
  { method: 'get', path: '/compare', tool: compareScans, answer: 'json' },
  { method: 'get', path: '/scanners', tool: listScanners, answer: 'json' },
  { method: 'get', path: '/queue', tool: getQueueStatus, answer: 'json' },
  { method: 'post', path: '/dead-letters/{scan_id}/retry', tool: retryDeadLetter, answer: 'json' },
];
