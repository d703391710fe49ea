import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ComparedScan, ComparisonPage, ComparisonQuery } from '../../src/findings/comparison.ts';
import { createFindingsStore } from '../../src/findings/findings-store.ts';
import { NO_SUPPRESSIONS } from '../../src/findings/findings.ts';
import type { FindingsStore, Suppressions } from '../../src/findings/findings.ts';
import type { LookFacts } from '../../src/findings/look-proof.ts';
import { newScanId } from '../../src/model/ids.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { PinnedTarget } from '../../src/model/target.ts';
import { address, stream, tempFolder } from './reports.ts';

/** One report as a test tells it. */
export interface Told {
  readonly events: readonly ReportEvent[];
  readonly targets?: readonly PinnedTarget[] | 'as_reported';
  readonly engine?: string;
  readonly facts?: Partial<LookFacts>;
}

export const FACTS: LookFacts = { endedWhole: true, access: 'untrusted' };

export interface Comparing {
  readonly store: FindingsStore;
  readonly scan: (told: Told) => Promise<ComparedScan>;
  readonly compare: (
    head: ComparedScan,
    base: ComparedScan,
    query?: Partial<ComparisonQuery>,
    suppressions?: Suppressions,
  ) => Promise<ComparisonPage>;
}

/** A store of its own, and comparisons in it. */
export async function comparing(): Promise<Comparing> {
  const folder = await tempFolder();
  const store = createFindingsStore();
  onTestFinished(() => store.close());
  return {
    store,
    async scan({ events, targets = [address('10.0.0.1')], engine = 'nessus', facts = {} }) {
      const scanId = newScanId();
      const at = join(folder, scanId);
      const ingested = await store.ingest({ scanId, epoch: 1, engine, folder: at, targets, events: stream(events) });
      return { file: join(at, ingested.artefact.path), scanId, facts: { ...FACTS, ...facts } };
    },
    compare: (head, base, query = {}, suppressions = NO_SUPPRESSIONS) =>
      store.compare({ head, base, query: { filter: {}, max_tokens: 20_000, ...query }, suppressions }),
  };
}
