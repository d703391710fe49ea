import type { JournalEntry } from '../../src/simulators/nessus/journal.ts';
import type { Connection } from '../e2e/stdio-client.ts';
import { countBy } from './worker-chaos.ts';

interface Server {
  readonly url: string;
  readonly auth: { readonly accessKey: string; readonly secretKey: string };
}

/** Files of an installation whose workers drive one simulated Nessus. */
export const nessusFiles = ({ url, auth }: Server, slots: number): Record<string, string> => ({
  'scanners.yaml': `nessus:
  - { instance_id: only, max_concurrent_scans: ${slots}, url: '${url}', access_key: '${auth.accessKey}', secret_key: '${auth.secretKey}' }
`,
  'scanmux.yaml': `
storage_reserve_mb: 0
worker: { idle_exit_seconds: 3, lease_seconds: 1, max_concurrent_scans: ${Math.min(slots, 64)} }
retry: { base_seconds: 0.02, max_seconds: 0.05 }
`,
});

/** Submits scans that are all the same but for their key. */
export async function submitScans(mcp: Connection, count: number, key: string): Promise<unknown[]> {
  const ids: unknown[] = [];
  for (let n = 0; n < count; n += 1) {
    const call = { targets: ['127.0.0.1'], scanner_pool: 'nessus', idempotency_key: `nessus-${n}-${key}` };
    ids.push((await mcp.ok('run_untrusted_scan', call))['scan_id']);
  }
  return ids;
}

/** What was asked for and done: a request that was never looked at, or refused, is not among them. */
const done = ({ method, status }: JournalEntry): boolean => method !== 'GET' && status !== null && status < 300;

export const isLaunch = (entry: JournalEntry): boolean =>
  done(entry) && entry.method === 'POST' && entry.route === '/scans/{id}/launch';

/** Scans made and launched, as the scanner saw it; of a good run nothing is launched twice, and nothing foreign touched. */
export function writesOf(entries: readonly JournalEntry[]) {
  const writes = entries.filter(done);
  const launches = countBy(writes.filter(isLaunch), ({ scan_id: id }) => String(id));
  return {
    created: writes.filter(({ method, route }) => method === 'POST' && route === '/scans').length,
    launched: Object.keys(launches).length,
    launchedTwice: Object.keys(launches).filter((id) => (launches[id] ?? 0) > 1),
    foreign: writes.filter(({ scan_origin: origin }) => origin === 'foreign').length,
  };
}

/** What `writesOf` says when every scan was made once and launched once. */
export const once = (scans: number) => ({ created: scans, launched: scans, launchedTwice: [], foreign: 0 });
