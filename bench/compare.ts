import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ComparedScan } from '../src/findings/comparison.ts';
import { createFindingsStore } from '../src/findings/findings-store.ts';
import { NO_SUPPRESSIONS, type FindingsStore } from '../src/findings/findings.ts';
import { loadFindings } from '../src/findings/load-findings.ts';
import { newScanId } from '../src/model/ids.ts';
import { ParsedFinding, RuleFacts, SEVERITIES } from '../src/model/finding.ts';
import type { ReportEvent } from '../src/model/report.ts';
import type { PinnedTarget } from '../src/model/target.ts';
import { counts, type Bench } from './bench.ts';
import { compare } from './harness.ts';
import { lineOf } from './table.ts';

const RULES = 3_000;
const PORTS = [22, 80, 443, 445, 3389, 8080, 8443] as const;
/** One finding in so many is in one scan only, and one in so many has another severity. */
const CHANGED_EVERY = 40;

const address = (host: number): string => `10.${(host >> 16) & 255}.${(host >> 8) & 255}.${host & 255}`;

const rulesOf = (severityShift: number): RuleFacts[] =>
  Array.from({ length: RULES }, (_, number) =>
    RuleFacts.parse({
      rule_id: `nessus:${10_000 + number}`,
      rule_family: `family ${number % 40}`,
      title: `Weakness number ${number} of this bench`,
      severity: SEVERITIES[(number + (number % CHANGED_EVERY === 0 ? severityShift : 0)) % SEVERITIES.length],
      severity_source: 'engine',
      solution: 'Install the update of the vendor.',
      cvss: [{ version: '3.1', score: (number % 100) / 10 }],
    }),
  );

/** Findings `n` of the numbers from 0; `skip` leaves out one in CHANGED_EVERY. */
async function* events(size: number, variant: number): AsyncGenerator<ReportEvent> {
  const hosts = hostsOf(size);
  const rules = rulesOf(variant);
  yield { kind: 'scope', scope: { tcpPorts: 'all', families: ['*'] } };
  for (let host = 0; host < hosts; host += 1) {
    yield { kind: 'place', place: { place: address(host), status: 'tested' } };
  }
  const { untrusted } = ParsedFinding.pick({ untrusted: true }).parse({
    untrusted: { output: 'Installed version : 1.2.3\nFixed version : 1.2.4\n'.repeat(4) },
  });
  for (let number = 0; number < size; number += 1) {
    if (number % CHANGED_EVERY === variant) continue;
    const rule = rules[(number * 7) % RULES];
    if (!rule) continue;
    const port = PORTS[number % PORTS.length] ?? 80;
    const location = { ip: address(number % hosts), port, protocol: 'tcp' };
    yield { kind: 'occurrence', rule, occurrence: { location, untrusted, discriminator: String(number) } };
  }
  yield { kind: 'end' };
}

const hostsOf = (size: number): number => Math.max(1, Math.floor(size / 50));

async function scan(store: FindingsStore, folder: string, size: number, variant: number): Promise<ComparedScan> {
  const scanId = newScanId();
  const at = join(folder, scanId);
  const targets = Array.from({ length: hostsOf(size) }, (_, host): PinnedTarget => {
    const text = address(host);
    return { target: { kind: 'address', text, address: text }, addresses: [text] };
  });
  const read = events(size, variant);
  const { artefact } = await store.ingest({ scanId, epoch: 1, engine: 'nessus', folder: at, targets, events: read });
  return { file: join(at, artefact.path), scanId, facts: { endedWhole: true, access: 'untrusted' } };
}

function printsOf(path: string): Uint8Array {
  const file = loadFindings(path);
  const prints = Uint8Array.from(file.prints());
  file.db.close();
  return prints;
}

/** The plain way: every fingerprint as a text, those of one scan in a set. */
function bySet(a: Uint8Array, b: Uint8Array): number {
  const texts = (prints: Uint8Array): string[] =>
    Array.from({ length: prints.length / 16 }, (_, at) =>
      Buffer.from(prints.buffer, prints.byteOffset + at * 16, 16).toString('latin1'),
    );
  const known = new Set(texts(b));
  return texts(a).filter((text) => known.has(text)).length;
}

/** Two scans of the same hosts, a few percent apart; each call compares with another base, so that nothing is kept. */
export const compareScans: Bench = async (size) => {
  const findings = size === 'full' ? 1_000_000 : 2_000;
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-compare-'));
  const store = createFindingsStore({ limits: { maxColumnBytes: 2 ** 30 } });
  try {
    const head = await scan(store, folder, findings, 0);
    const bases = [await scan(store, folder, findings, 1), await scan(store, folder, findings, 2)];
    const [mine, theirs] = [printsOf(head.file), printsOf(bases[0]?.file ?? '')];
    const page = (at: number) =>
      store.compare({
        head,
        base: bases[at % 2] ?? head,
        query: { filter: {}, max_tokens: 4_000 },
        suppressions: NO_SUPPRESSIONS,
      });
    let turn = 0;
    const floor = { name: 'Set of the same fingerprints', once: async () => void bySet(mine, theirs) };
    const cold = await compare({
      name: `compare_scans, ${findings} against ${findings} findings`,
      floor,
      subject: { name: 'compare_scans', once: async () => void (await page((turn += 1))) },
      ...counts(size, { rounds: 3, perRound: 3, warmUp: 2 }),
    });
    const next = await compare({
      name: 'compare_scans, the next page',
      floor,
      subject: { name: 'compare_scans', once: async () => void (await page(0)) },
      ...counts(size, { rounds: 2, perRound: 3, warmUp: 1 }),
    });
    return [lineOf(cold, 'p50', { of: 'ratio', atMost: 1 }), lineOf(next, 'p50')];
  } finally {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
};
