/**
 * What parsers write at the beginning of `report_state` where the report itself takes a finding back. What follows is
 * the report's own reason, which may be any text.
 */
const TAKEN_BACK = /^(?:suppressed \(|false positive by an override|marked as false positive)/;
/** SARIF: the result of an earlier run that is not there any more. It may follow the words about a suppression. */
const ABSENT = /(?:^|; )baseline: absent(?:;|$)/;

/** Whether the report itself withdrew the finding: suppressed it, called it a false positive or marked it absent. */
export const isWithdrawn = (reportState: string | undefined): boolean =>
  reportState !== undefined && (TAKEN_BACK.test(reportState) || ABSENT.test(reportState));
