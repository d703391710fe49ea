/** Kinds of check, as coverage and `list_scanners` name them. */
export const CHECKS = {
  ports: 'TCP reachability',
  services: 'service identification',
  open: 'services open without a password',
  tls: 'TLS versions and certificates',
  http: 'HTTP headers, cookies, CORS and TRACE',
  exposure: 'exposed files, folders and status pages',
} as const;
export type Check = keyof typeof CHECKS;

const NEVER = [
  'known vulnerabilities by version (CVE): this engine has no vulnerability database',
  'UDP: this engine uses TCP only',
  'authenticated checks: this engine never logs in',
  'injection and other flaws inside applications: this engine sends no attacks',
];

/** Why a kind of check found nothing to look at. */
const IDLE: Readonly<Partial<Record<Check, string>>> = {
  services: 'done where a host or network has an open port, not for URLs',
  open: 'no port was open',
  tls: 'no TLS port was found',
  http: 'no web server answered',
  exposure: 'no web server answered',
};

/** What ran and what did not, for the coverage of the scan. */
export interface Notes {
  ran(check: Exclude<Check, 'ports'>): void;
  /** A port was asked whether it is open; the check of ports ran on those, and on no others. */
  tried(port: number): void;
  /** @param what The check and the reason, in our words. */
  skipped(what: string): void;
  summary(): { readonly looked_for: string[]; readonly not_looked_for: string[] };
}

/** More different reasons than this would not be read. */
const MAX_REASONS = 40;

export function createNotes(): Notes {
  const ports = new Set<number>();
  const done = new Set<Check>();
  const reasons = new Set<string>(NEVER);
  const text = (check: Check): string =>
    check === 'ports' ? `${CHECKS.ports} (${ports.size} ${ports.size === 1 ? 'port' : 'ports'})` : CHECKS[check];
  return {
    ran: (check) => void done.add(check),
    tried(port) {
      ports.add(port);
      done.add('ports');
    },
    skipped(what) {
      if (reasons.size < MAX_REASONS) reasons.add(what);
    },
    summary() {
      const idle = done.has('ports') ? [] : [`${CHECKS.ports}: not reached`];
      for (const check of ['services', 'open', 'tls', 'http', 'exposure'] as const)
        if (!done.has(check)) idle.push(`${text(check)}: ${IDLE[check] ?? 'not reached'}`);
      return { looked_for: [...done].map(text), not_looked_for: [...idle, ...reasons] };
    },
  };
}
