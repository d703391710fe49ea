import type { ScanRecord, ScanRequest } from '../model/scan.ts';

/** A scan that was to log in and could not has only seen what anybody can see. */
function loginAdvice({ access, credential_ref: ref }: ScanRequest, result: ScanRecord['result']): string[] {
  if (access === 'untrusted' || ref === undefined || !result) return [];
  const { success = 0, partial = 0, failed = 0 } = result.authentication ?? {};
  const { tested, partial: partly } = result.coverage;
  if (success === 0 && partial + failed === 0) {
    return tested + partly === 0
      ? []
      : [`No host says that a login with ${ref} was tried: nothing behind it was seen.`];
  }
  if (partial + failed === 0) return [];
  return [
    `Logging in with ${ref} worked on ${success} hosts, in part on ${partial}, and failed on ${failed}: get_scan_results lists them under untested. Operator: check the account, its rights and that the login service can be reached.`,
  ];
}

/** What to do about a scan that did not look everywhere, most useful first. Empty for a complete one. */
export function troubleshooting({ result, error, state, request }: ScanRecord): string[] {
  const advice: string[] = [];
  if (error) advice.push(error.hint);
  if (state === 'timed_out') {
    advice.push(
      `It ran into max_duration_minutes ${request.max_duration_minutes}: use fewer targets or ports, or a lower intensity.`,
    );
  }
  advice.push(...loginAdvice(request, result));
  const coverage = result?.coverage;
  if (coverage && coverage.unreachable > 0) {
    advice.push(
      'Unreachable places are listed in get_scan_results under untested, each with its reason: check that they are up, that the port is right, and that no firewall is in between.',
    );
  }
  if (coverage && coverage.partial > 0) {
    advice.push('Partly tested hosts are listed in get_scan_results under untested, each with its reason.');
  }
  return advice;
}
