import type { ReportEvent } from '../../model/report.ts';

/** What a report of ZAP says was looked for: it lists alerts, not the rules that raised none. */
export const ZAP_CHECKS: ReportEvent = {
  kind: 'checks',
  lookedFor: ['weaknesses of web applications'],
  notLookedFor: ['rules that were turned off, and pages that were not found: the report does not say which'],
};
