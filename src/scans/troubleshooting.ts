import { LOGIN_ADVICE, LoginProblem } from '../model/login-problem.ts';
import type { ScanRecord, ScanRequest } from '../model/scan.ts';

/** A scan that was to log in and could not has only seen what anybody can see. */
function loginAdvice({ access, credential_ref: ref }: ScanRequest, result: ScanRecord['result']): string[] {
  if (access === 'untrusted' || ref === undefined || !result) return [];
  const { success = 0, partial = 0, failed = 0 } = result.authentication ?? {};
  const { tested, partial: partly } = result.coverage;
  if (success === 0 && partial + failed === 0) {
    if (tested + partly === 0) return [];
    return [`No host says that a login with ${ref} was tried: nothing behind it was seen.`, ...reasons(result)];
  }
  if (partial + failed === 0) return [];
  return [
    `Logging in with ${ref} worked on ${hostCount(success)}, in part on ${partial}, and failed on ${failed}: get_scan_results lists them under untested.`,
    ...reasons(result),
  ];
}

const hostCount = (count: number): string => (count === 1 ? '1 host' : `${count} hosts`);

/** What to do about each reason the scanner gave, the most frequent first. */
function reasons({ login_problems: problems = {} }: NonNullable<ScanRecord['result']>): string[] {
  return LoginProblem.options
    .flatMap((problem) => {
      const hosts = problems[problem];
      return hosts === undefined ? [] : [{ problem, hosts }];
    })
    .toSorted((a, b) => b.hosts - a.hosts)
    .map(({ problem, hosts }) => `Login, ${hostCount(hosts)}: ${LOGIN_ADVICE[problem]}`);
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
  if (result?.left_behind !== undefined) advice.push(result.left_behind);
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
