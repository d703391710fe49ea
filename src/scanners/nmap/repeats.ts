import type { ParsedFinding } from '../../model/finding.ts';

/** More findings than a scan of ours can have; of a larger report repeats are kept. */
const MOST_KEPT = 200_000;

/**
 * Finds what an earlier document of the same report has said: our scans run nmap once per list of ports, so that a port
 * that was asked for by itself can be in the general list as well. Within one document nothing is a repeat.
 */
export interface Repeats {
  isRepeat(finding: ParsedFinding): boolean;
  nextDocument(): void;
}

export function createRepeats(): Repeats {
  const earlier = new Set<string>();
  let current: string[] = [];
  return {
    isRepeat({ rule_id, location: { ip, port, protocol } }) {
      const key = `${ip} ${port} ${protocol} ${rule_id}`;
      if (earlier.has(key)) return true;
      if (earlier.size + current.length < MOST_KEPT) current.push(key);
      return false;
    },
    nextDocument() {
      for (const key of current) earlier.add(key);
      current = [];
    },
  };
}
