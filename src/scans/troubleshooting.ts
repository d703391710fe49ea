import type { ScanRecord } from '../model/scan.ts';

/** What to do about a scan that did not look everywhere, most useful first. Empty for a complete one. */
export function troubleshooting({ result, error, state, request }: ScanRecord): string[] {
  const advice: string[] = [];
  if (error) advice.push(error.hint);
  if (state === 'timed_out') {
    advice.push(
      `It ran into max_duration_minutes ${request.max_duration_minutes}: use fewer targets or ports, or a lower intensity.`,
    );
  }
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
