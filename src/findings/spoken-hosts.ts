import { AppError } from '../model/errors.ts';
import type { Location } from '../model/finding.ts';
import { canonicalAddress } from './address-key.ts';
import type { ReportedHost } from './findings.ts';
import { namedHost } from './named-host.ts';

/**
 * Hosts that findings speak of besides the one they are sorted by: in a URL, or as a name that is another address. Files,
 * symbols and images are none, however they are called (`face::add` is no address), unless what stands there is a URL, or
 * an address with a port.
 */
export interface SpokenHosts {
  /** @throws AppError report_unreadable when they are too many to be judged */
  note(location: Location): void;
  all(): readonly ReportedHost[];
}

const MOST = 100_000;
const SPEAKS_OF_HOST = /^(?:(?:[a-z][a-z0-9+.-]*:)?\/\/|\d{1,3}(?:\.\d{1,3}){3}:\d+$|\[[\da-f:.]+\]:\d+$)/i;

export function createSpokenHosts(): SpokenHosts {
  const found = new Map<string, ReportedHost>();
  let last: Location = {};
  const add = (host: ReportedHost): void => {
    found.set(`${host.name} ${host.address}`, host);
    if (found.size > MOST) throw new AppError('report_unreadable', `The report names more than ${MOST} hosts in URLs.`);
  };
  const noteText = (text: string, host: string, own: string | undefined): void => {
    const spoken = namedHost(text);
    if (spoken === undefined) return;
    if ('address' in spoken) {
      if (spoken.address !== own) add(spoken);
    } else if (spoken.isCertain && spoken.name !== host.toLowerCase().replace(/\.$/, '')) {
      // A name is in scope with the address the report gives it.
      add({ name: spoken.name, ...(own === undefined ? {} : { address: own }) });
    }
  };
  return {
    note(location) {
      if (isSameHost(location, last)) return;
      last = location;
      const { host = '', ip = '', url = '', file = '', image = '' } = location;
      const own = canonicalAddress(ip);
      for (const text of [host, ip, url]) noteText(text, host, own);
      for (const text of [file, image]) if (SPEAKS_OF_HOST.test(text)) noteText(text, host, own);
    },
    all: () => [...found.values()],
  };
}

/** Asked for every finding: most speak of the host that the one before spoke of. */
const isSameHost = (a: Location, b: Location): boolean =>
  a.ip === b.ip && a.host === b.host && a.url === b.url && a.file === b.file && a.image === b.image;
