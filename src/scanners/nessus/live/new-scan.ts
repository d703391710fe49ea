import { AppError } from '../../../model/errors.ts';
import type { ScanRequest } from '../../../model/scan.ts';
import type { PinnedTarget } from '../../../model/target.ts';

/** Ports of targets that name one; Nessus has one list of ports per scan. */
const PORT = /^(?:\[[^\]]*\]|[^:/]*):(\d{1,5})$/;

/**
 * The ports of a scan as Nessus takes them; undefined: the template's own.
 * @throws AppError invalid_request, option_unsupported
 */
export function portRangeOf({ ports, targets }: Pick<ScanRequest, 'ports' | 'targets'>): string | undefined {
  const own = targets.map((text) => PORT.exec(text)?.[1]);
  const asked = [...new Set(own.map((port) => port ?? ports))];
  const [only] = asked;
  if (asked.length > 1) {
    throw new AppError('option_unsupported', 'Nessus scans the same ports on all targets of one scan.', {
      hint: 'Give targets without ports and write ports, or run one scan per port.',
    });
  }
  if (only !== undefined && !/^\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*$/.test(only)) {
    throw new AppError('invalid_request', 'ports is not a list of ports from 1 to 65535.', {
      hint: 'Write ports like 22,80,8000-8010.',
    });
  }
  return only;
}

/** Name of the template. Only the advanced one lets ports be chosen. */
export const defaultTemplate = ({ intensity }: Pick<ScanRequest, 'intensity'>, ports: string | undefined): string =>
  intensity === 'light' && ports === undefined ? 'basic' : 'advanced';

/** Whether a template has settings for ports and for how hard it hits. */
export const isAdvanced = (template: string): boolean => /^advanced/i.test(template);

/**
 * The addresses the policy allowed, each with the name it was asked by: Nessus scans `name[address]` at that address and
 * looks no name up.
 */
export function targetList(targets: readonly PinnedTarget[]): string {
  const written = targets.flatMap(({ target, addresses }) => {
    if (target.kind === 'network' && addresses.length === target.size) return [target.text];
    if (target.kind === 'host') return addresses.map((address) => `${target.host}[${address}]`);
    return addresses;
  });
  return [...new Set(written)].join(',');
}

/** Settings of the advanced template that make an intensity: safe checks only, unless it may harm. */
export function intensitySettings({ intensity }: Pick<ScanRequest, 'intensity'>): Readonly<Record<string, string>> {
  const isIntrusive = intensity === 'intrusive';
  return { safe_checks: isIntrusive ? 'no' : 'yes', thorough_tests: isIntrusive ? 'yes' : 'no' };
}
