import { AppError } from '../model/errors.ts';
import type { Location } from '../model/finding.ts';
import { canonicalAddress } from './address-key.ts';
import type { ReportedHost } from './findings.ts';
import { namedHost } from './named-host.ts';

/** Hosts that findings speak of besides the one they are sorted by: in a URL, or as a name that is another address. */
export interface SpokenHosts {
  /** @throws AppError report_unreadable when they are too many to be judged */
  note(location: Location): void;
  all(): readonly ReportedHost[];
}

const MOST = 100_000;

export function createSpokenHosts(): SpokenHosts {
  const found = new Map<string, ReportedHost>();
  let last = '';
  const add = (host: ReportedHost): void => {
    found.set(`${host.name} ${host.address}`, host);
    if (found.size > MOST) throw new AppError('report_unreadable', `The report names more than ${MOST} hosts in URLs.`);
  };
  return {
    note(location) {
      const { host = '', ip = '', url = '', file = '', image = '' } = location;
      const texts = [host, url, file, image];
      const spelling = [ip, ...texts].join('\n');
      if (spelling === last) return;
      last = spelling;
      const own = canonicalAddress(ip);
      for (const text of texts) {
        const spoken = text === '' ? undefined : namedHost(text);
        if (spoken && 'address' in spoken) {
          if (spoken.address !== own) add(spoken);
        } else if (spoken?.isCertain === true && spoken.name !== host.toLowerCase().replace(/\.$/, '')) {
          // A name is in scope with the address the report gives it.
          add({ name: spoken.name, ...(own === undefined ? {} : { address: own }) });
        }
      }
    },
    all: () => [...found.values()],
  };
}
