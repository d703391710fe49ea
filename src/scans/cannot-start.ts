import { cleanLine } from '../model/untrusted.ts';
import type { PublishedHealth } from '../queue/queue.ts';

/** What is known of one instance that a scan could go to; health undefined when nothing is. */
export interface KnownInstance {
  readonly instanceId: string;
  readonly health: PublishedHealth | undefined;
}

export const BROKEN = 'It failed several scans in a row and gets no more until a trial succeeds.';

/** Instances shown with their reason; the rest is counted. */
const SHOWN = 3;

export const canStart = ({ health }: KnownInstance): boolean =>
  health === undefined || (health.canLaunch && health.status !== 'unhealthy' && health.circuit !== 'open');

/**
 * Why none of these can start a scan now, instance by instance; undefined when one can, or may. A scan waits then, and
 * its caller must hear of it: waiting alone will not help.
 */
export function whyNone(instances: readonly KnownInstance[]): string | undefined {
  if (instances.length === 0 || instances.some(canStart)) return undefined;
  const shown = instances.slice(0, SHOWN).map(({ instanceId, health }) => {
    const why = health?.circuit === 'open' ? BROKEN : health?.why;
    return `${instanceId}: ${cleanLine(why ?? 'no reason is known', 500).replace(/\.+$/, '')}`;
  });
  const more = instances.length - shown.length;
  return `${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}.`;
}
