import type { Occurrence, RuleFacts } from '../model/finding.ts';
import { isWithdrawn } from '../model/report-state.ts';
import { startGatherThread } from './gather-in-thread.ts';
import type { GatherThread } from './gather-in-thread.ts';
import { createGatherer } from './gather.ts';
import type { Gathered, Gatherer, NewFiles } from './gather.ts';
import { createPacker, memoryOf } from './packed-findings.ts';
import type { FindingBatch } from './packed-findings.ts';
import type { KnownRule } from './rule-book.ts';

/** Where rules and findings of one report go, in its order. */
export interface FindingsOut {
  /** The rule of the next id. */
  readonly addRule: (rule: RuleFacts) => void;
  add(engine: string, rule: KnownRule, occurrence: Occurrence): void;
  count(): number;
  /** Of these, how many the report itself took back. */
  withdrawn(): number;
  /** There are more findings than are allowed. */
  isOver(): boolean;
  /**
   * A promise when there are more than can be written at once: wait for it before the next one.
   * @throws AppError storage_full, storage_unusable
   */
  room(): Promise<void> | undefined;
  /** Call once, after the last finding. @throws AppError storage_full, storage_unusable */
  finish(): Promise<Gathered>;
  /** Lets go of the files, also when something failed. */
  end(): Promise<void>;
}

/** Batches of a report that is not worth a thread, whose start takes as long as they do. */
const HELD = 8;

/** @param program Program of the thread that writes; without it, everything happens in this one. */
export function createFindingsOut(files: NewFiles, maxFindings: number, program: URL | undefined): FindingsOut {
  let held: FindingBatch[] = [];
  let here: Gatherer | undefined;
  let thread: GatherThread | undefined;
  let count = 0;
  let withdrawn = 0;

  const openHere = (): Gatherer => (here ??= createGatherer(files));
  const openThread = (url: URL): GatherThread => {
    const started = startGatherThread(url, files, (memory) => packer.reuse(memory));
    for (const batch of held) started.take(batch);
    held = [];
    return started;
  };
  const packer = createPacker((batch) => {
    if (thread) thread.take(batch);
    else if (!program) {
      openHere().take(batch);
      packer.reuse(memoryOf(batch));
    } else if (held.push(batch) === HELD) thread = openThread(program);
  });

  return {
    addRule: packer.addRule,
    add(engine, rule, occurrence) {
      count += 1;
      if (isWithdrawn(occurrence.report_state)) withdrawn += 1;
      if (count <= maxFindings) packer.add(engine, rule, occurrence);
    },
    count: () => count,
    withdrawn: () => withdrawn,
    isOver: () => count > maxFindings,
    room: () => thread?.room(),
    async finish() {
      packer.flush();
      if (thread) return thread.finish();
      const gatherer = openHere();
      for (const batch of held) gatherer.take(batch);
      return gatherer.finish();
    },
    async end() {
      await thread?.end();
      here?.close();
    },
  };
}
