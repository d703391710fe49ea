import fc from 'fast-check';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createFindingsStore } from '../../src/findings/findings-store.ts';
import type { FindingsLimits } from '../../src/findings/findings-store.ts';
import type {
  FindingPage,
  FindingQuery,
  FindingsRef,
  FindingsStore,
  Ingested,
  Suppressions,
} from '../../src/findings/findings.ts';
import type { PlaceStatus } from '../../src/model/coverage.ts';
import { ParsedFinding } from '../../src/model/finding.ts';
import type { ParsedFindingInput } from '../../src/model/finding.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { PinnedTarget } from '../../src/model/target.ts';

export const SCAN_ID = 'scan_0123456789abcdefghjk';

export const DEFAULT_QUERY: FindingQuery = { group_by: 'none', detail: 'summary', sort: 'urgency', max_tokens: 4_000 };

export const host = (name: string, ...addresses: string[]): PinnedTarget => ({
  target: { kind: 'host', text: name, host: name },
  addresses,
});

export const address = (text: string): PinnedTarget => ({
  target: { kind: 'address', text, address: text },
  addresses: [text],
});

/** A finding that says only what a test is about. */
export const found = (over: Partial<ParsedFindingInput> = {}): ReportEvent => ({
  kind: 'finding',
  finding: ParsedFinding.parse({
    rule_id: 'rule-1',
    title: 'A weakness',
    severity: 'medium',
    severity_source: 'rule',
    location: { ip: '10.0.0.1', port: 80, protocol: 'tcp' },
    ...over,
  }),
});

export const placed = (place: string, status: PlaceStatus, reason?: string): ReportEvent => ({
  kind: 'place',
  place: { place, status, ...(reason === undefined ? {} : { reason }) },
});

export const END: ReportEvent = { kind: 'end' };

export async function* stream(events: Iterable<ReportEvent>, failure?: Error): AsyncGenerator<ReportEvent> {
  yield* events;
  if (failure) throw failure;
}

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'findings-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function openStore(limits: Partial<FindingsLimits> = {}): FindingsStore {
  const store = createFindingsStore({ limits });
  onTestFinished(() => store.close());
  return store;
}

export interface Stored {
  readonly store: FindingsStore;
  readonly folder: string;
  readonly file: string;
  readonly ref: FindingsRef;
  readonly ingested: Ingested;
  readonly query: (query?: Partial<FindingQuery>, suppressions?: Suppressions) => Promise<FindingPage>;
}

/** Ingests events into a folder of their own and says how to ask about them. */
export async function stored(
  events: Iterable<ReportEvent>,
  targets: readonly PinnedTarget[] = [address('10.0.0.1')],
): Promise<Stored> {
  const folder = await tempFolder();
  const store = openStore();
  const ingested = await store.ingest({
    scanId: SCAN_ID,
    epoch: 1,
    engine: 'baseline',
    folder,
    targets,
    events: stream(events),
  });
  const file = join(folder, ingested.artefact.path);
  const ref = { file, scanId: SCAN_ID };
  return {
    store,
    folder,
    file,
    ref,
    ingested,
    query: (query = {}, suppressions) => store.query(ref, { ...DEFAULT_QUERY, ...query }, suppressions),
  };
}

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq: 2 });
const cve = fc.integer({ min: 1, max: 30 }).map((number) => `CVE-2024-${1_000 + number}`);
const score = fc.integer({ min: 0, max: 100 }).map((tenths) => tenths / 10);
const words = fc.oneof(fc.lorem({ maxCount: 12 }), fc.string({ unit: 'binary', maxLength: 60 }), fc.constant('世界😀'));

const locations = fc.oneof(
  fc.record({
    ip: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.1.200', '9.255.0.1', '2001:db8::1', '2001:db8::a'),
    port: maybe(fc.constantFrom(22, 80, 443)),
    protocol: maybe(fc.constant('tcp')),
  }),
  fc.record({ host: fc.constantFrom('app.test', 'DB.test', 'localhost'), port: maybe(fc.constantFrom(22, 443)) }),
  fc.record({ host: fc.constantFrom('app.test', 'DB.test'), ip: fc.constantFrom('10.0.0.1', '10.0.0.2') }),
  fc.record({ url: fc.constantFrom('https://app.test/a?b=c', 'http://10.0.0.2/x'), method: maybe(fc.constant('GET')) }),
  fc.record({ file: fc.constant('src/a.ts'), line: maybe(fc.integer({ min: 1, max: 9 })) }),
  fc.constant({}),
);

/** Findings as hostile reports have them: few rules and places, so that duplicates and ties are common. */
export const anyFinding: fc.Arbitrary<ReportEvent> = fc
  .record({
    rule_id: fc.constantFrom('tls-old', 'http-hsts', 'redis-open', 'nse:vulners'),
    title: words,
    severity: fc.constantFrom('info', 'low', 'medium', 'high', 'critical'),
    severity_source: fc.constant('rule'),
    description: maybe(words),
    solution: maybe(fc.constantFrom('Update.', 'Turn it off.', 'x'.repeat(1_500))),
    references: fc.array(fc.webUrl(), { maxLength: 3 }),
    cvss: fc.array(fc.record({ version: fc.constantFrom('2.0', '3.1', '4.0'), score }), { maxLength: 2 }),
    cves: fc.uniqueArray(cve, { maxLength: 3 }),
    epss: maybe(fc.integer({ min: 0, max: 1_000 }).map((thousandths) => thousandths / 1_000)),
    kev: fc.boolean(),
    exploit_available: fc.boolean(),
    location: locations,
    untrusted: fc.record({ output: maybe(fc.oneof(words, fc.constant('long '.repeat(3_000)))) }),
    discriminator: maybe(fc.integer({ min: 0, max: 40 }).map(String)),
  })
  .map((input): ReportEvent => {
    const defined = JSON.parse(JSON.stringify(input));
    return { kind: 'finding', finding: ParsedFinding.parse(defined) };
  });
