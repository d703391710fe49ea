import { isIP } from 'node:net';
import type { Place } from '../../model/coverage.ts';
import { defined, textOf, wholeOf } from '../json-fields.ts';
import { hostOfUrl } from '../web-place.ts';

/** What a report says of a site: `name` is `https://app.test`. */
export interface ZapSite {
  readonly name?: unknown;
  readonly host?: unknown;
  readonly port?: unknown;
}

/** Host and port by the URL, else as the site says them. */
export function siteHost({ name, host, port }: ZapSite): {
  host?: string;
  ip?: string;
  port?: number;
  protocol?: string;
} {
  const place = hostOfUrl(textOf(name) ?? '');
  const found = place?.host ?? textOf(host);
  const number = place ? place.port : wholeOf(port, 0, 65_535);
  return defined({
    host: found,
    ip: found !== undefined && isIP(found) !== 0 ? found : undefined,
    port: number,
    protocol: number === undefined ? undefined : 'tcp',
  });
}

export interface SiteLedger {
  note(site: ZapSite, alerts: number): void;
  places(): Iterable<Place>;
}

const MAX_HOSTS = 100_000;

/**
 * Which hosts a report shows to have answered. One with an alert has; one without stands in ZAP's site tree, which also
 * holds sites that were only linked to. The ports of a host are one place.
 */
export function createSiteLedger(): SiteLedger {
  const hosts = new Map<string, number>();
  return {
    note(site, alerts) {
      const host = siteHost(site).host ?? textOf(site.name);
      if (host !== undefined && (hosts.has(host) || hosts.size < MAX_HOSTS))
        hosts.set(host, (hosts.get(host) ?? 0) + alerts);
    },
    *places() {
      for (const [place, alerts] of hosts) {
        if (alerts > 0) yield { place, status: 'tested' };
        else
          yield { place, status: 'partial', reason: 'ZAP lists it without an alert and does not say if it answered.' };
      }
    },
  };
}
