import type { WhilePresent } from './artefacts.ts';
import type { JobInput, JobName, JobOutput } from './jobs.ts';
import type { OpenFiles, OpenFilesLimits } from './open-files.ts';

export interface RunOptions {
  /** The file the job reads most of: it goes to the thread that has it open, while that one is free. */
  readonly file: string;
  /** Others it may read. */
  readonly others?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Answers questions about findings files, here or in other threads. */
export interface JobRunner {
  /** @throws AppError whatever the job throws; internal_error when its thread died */
  run<N extends JobName>(name: N, input: JobInput<N>, options: RunOptions): Promise<JobOutput<N>>;
  /** Ends every thread; questions that are open fail. The next one starts anew. */
  close(): Promise<void>;
}

/** Has every file a job may read fetched before, and kept as long as it runs. */
export const createPresentRunner = (runner: JobRunner, whilePresent: WhilePresent): JobRunner => ({
  run: (name, input, options) =>
    whilePresent([options.file, ...(options.others ?? [])], () => runner.run(name, input, options)),
  close: () => runner.close(),
});

const NEVER = new AbortController().signal;

/** Runs jobs in this thread: for tests, and for programs that ask one question. */
export function createInProcessRunner(limits: OpenFilesLimits): JobRunner {
  let files: OpenFiles | undefined;
  return {
    async run(name, input, { signal = NEVER }) {
      // Only when asked for: a server that only starts scans never loads what reads findings.
      const [{ runJob }, { createOpenFiles }] = await Promise.all([import('./jobs.ts'), import('./open-files.ts')]);
      files ??= createOpenFiles(limits);
      return runJob(name, files, input, signal);
    },
    async close() {
      files?.close();
    },
  };
}
