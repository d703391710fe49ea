import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { createFindingsStore } from '../src/findings/findings-store.ts';
import type { FindingQuery, FindingsRef, FindingsStore, GroupBy } from '../src/findings/findings.ts';
import { silentLog } from '../src/platform/log.ts';
import { counts, type Bench, type Size } from './bench.ts';
import { compare, type Side } from './harness.ts';
import { createInstallation } from './installation.ts';
import { COMMON_WORDS, RARE_WORD, writeLargeScan } from './large-scan.ts';
import { lineOf, type Line, type Target } from './table.ts';

const PAGE: FindingQuery = { group_by: 'none', detail: 'summary', sort: 'urgency', max_tokens: 4_000 };

const atMost = (ms: number): Target => ({ of: 'ours', atMost: ms });
const QUICK = atMost(20);
const ANY = atMost(60);
const TEXT = atMost(300);

type Asked = (n: number) => Partial<FindingQuery>;

const ONE_FILTER: Readonly<Record<string, Asked>> = {
  'default order': () => ({}),
  severity_levels: (n) => ({ severity_levels: n % 2 === 0 ? ['high', 'low'] : ['high', 'medium'] }),
  min_severity: (n) => ({ min_severity: n % 2 === 0 ? 'medium' : 'high' }),
  min_cvss: (n) => ({ min_cvss: (n % 90) / 10 }),
  min_epss: (n) => ({ min_epss: (n % 90) / 100 }),
  kev_only: () => ({ kev_only: true }),
  exploit_available: (n) => ({ exploit_available: n % 2 === 0 }),
  'host, one': (n) => ({ host: `10.0.${n % 64}.7` }),
  'host, CIDR': (n) => ({ host: `10.${n % 4}.0.0/16` }),
  port: (n) => ({ port: n % 2 === 0 ? 443 : 80 }),
  cve: (n) => ({ cve: `CVE-2024-${1_000 + (n % 100)}` }),
  rule_id: (n) => ({ rule_id: `bench:${n % 500}` }),
};

const COMBINED: Readonly<Record<string, Asked>> = {
  'three filters': (n) => ({ min_severity: 'medium', host: '10.0.0.0/14', port: n % 2 === 0 ? 443 : 80 }),
  'three filters by cvss': (n) => ({ min_cvss: (n % 90) / 10, port: 443, exploit_available: false, sort: 'cvss' }),
  'one filter by host': (n) => ({ sort: 'host', min_epss: (n % 40) / 1_000 }),
  'one filter by epss': (n) => ({ sort: 'epss', min_epss: (n % 40) / 1_000 }),
};

const GROUPINGS: readonly GroupBy[] = ['host', 'rule', 'cve', 'severity', 'solution'];

/** Among most findings, but not the same every time: groups of everything are kept. */
const groupBy = (by: GroupBy): Asked => {
  return (n) => ({ group_by: by, min_epss: (n % 40) / 1_000 });
};

function querySide(name: string, store: FindingsStore, ref: FindingsRef, asked: Asked): Side {
  let n = 0;
  return {
    name,
    async once() {
      n += 1;
      // Another version of the suppressions, so that no answer comes out of what was kept of the one before.
      await store.query(ref, { ...PAGE, ...asked(n) }, { version: String(n), entries: [] });
    },
  };
}

/** The least exact totals cost: to look at every finding once. */
function passSide(findings: number): Side {
  const column = Uint32Array.from({ length: findings }, (_, index) => index % 3_000);
  const table = new Uint8Array(3_000).fill(1);
  let total = 0;
  return {
    name: 'one pass over a column',
    once() {
      for (const id of column) total += table[id] ?? 0;
      return total > 0 ? Promise.resolve() : Promise.reject(new Error('counted nothing'));
    },
  };
}

const READ_BYTES = 256 << 10;

/** The least a search without an index costs: to read the file and look for a word. */
function searchSide(path: string): Side {
  const buffer = Buffer.alloc(READ_BYTES);
  const bytes = statSync(path).size;
  return {
    name: 'read the whole file, look for a word',
    once() {
      const file = openSync(path, 'r');
      for (let at = 0; at < bytes; at += READ_BYTES) {
        const read = readSync(file, buffer, 0, READ_BYTES, at);
        buffer.subarray(0, read).indexOf(RARE_WORD);
      }
      closeSync(file);
      return Promise.resolve();
    },
  };
}

/** How long the thread that answers calls is kept from its next turn, alone and with queries under way. */
function turnSides(store: FindingsStore, ref: FindingsRef): { floor: Side; subject: Side } {
  const turn = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 1));
  let asking: Promise<void> | undefined;
  let isOver = false;
  const ask = async (): Promise<void> => {
    for (let n = 0; !isOver; n += 1) await store.query(ref, { ...PAGE, text: `cipher ${n}` });
  };
  return {
    floor: { name: 'a turn of the event loop, nothing else to do', once: turn },
    subject: {
      name: 'the same while searches run in a thread',
      async once() {
        asking ??= ask();
        await turn();
      },
      async rest() {
        isOver = true;
        await asking;
        isOver = false;
        asking = undefined;
      },
    },
  };
}

/** Pages, groups and searches out of one large scan, by reader threads as in the server. */
export const queries: Bench = async (size: Size) => {
  const installation = createInstallation();
  const store = createFindingsStore({ log: silentLog, threads: 2 });
  const findings = size === 'full' ? 1_000_000 : 2_000;
  try {
    const ref = await writeLargeScan(store, installation.data, findings);
    const pass = passSide(findings);
    const lines: Line[] = [];
    const measure = async (what: string, floor: Side, asked: Asked, target: Target, perRound = 25): Promise<void> => {
      const name = `${findings} findings, ${what}`;
      const subject = querySide(what, store, ref, asked);
      const result = await compare({ name, floor, subject, ...counts(size, { rounds: 4, perRound, warmUp: 5 }) });
      lines.push(lineOf(result, 'p50'), lineOf(result, 'p99', target));
    };
    for (const [what, asked] of Object.entries(ONE_FILTER)) await measure(what, pass, asked, QUICK);
    for (const [what, asked] of Object.entries(COMBINED)) await measure(what, pass, asked, ANY);
    for (const by of GROUPINGS) await measure(`one filter, group_by ${by}`, pass, groupBy(by), ANY);
    const search = searchSide(ref.file);
    await measure('text, a rare word', search, (n) => ({ text: RARE_WORD.slice(n % 3) }), TEXT, 5);
    await measure('text, 100,000 hits', search, (n) => ({ text: COMMON_WORDS.slice(n % 3) }), TEXT, 5);
    const turns = { name: 'event loop while searches run', ...turnSides(store, ref) };
    const busy = await compare({ ...turns, ...counts(size, { rounds: 4, perRound: 400 }) });
    lines.push(lineOf(busy, 'p50'), lineOf(busy, 'p99'));
    return lines;
  } finally {
    await store.close();
    installation.remove();
  }
};
