import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { runJob } from './jobs.ts';
import type { JobInput, JobName } from './jobs.ts';
import { createOpenFiles } from './open-files.ts';
import { createListKeeper } from './suppressions-once.ts';
import { toFailure } from './thread-messages.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

// The program of a reader thread: see threads.ts, which starts it.
const files = createOpenFiles(z.object({ maxOpenFiles: z.number(), maxColumnBytes: z.number() }).parse(workerData));
const lists = createListKeeper();
const running = new Map<number, AbortController>();
let isEnding = false;

/** The thread ends by itself once nothing can come and nothing runs. */
function end(): void {
  if (!isEnding || running.size > 0) return;
  files.close();
  parentPort?.close();
}

async function answer<N extends JobName>(id: number, name: N, input: JobInput<N>): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  const reply = (message: FromThread<N>): void => parentPort?.postMessage(message);
  try {
    reply({ id, output: await runJob(name, files, lists.restore(input), controller.signal) });
  } catch (error) {
    reply({ id, failure: toFailure(error) });
  } finally {
    running.delete(id);
    end();
  }
}

parentPort?.on('message', (message: ToThread) => {
  if (message.name === 'end') {
    isEnding = true;
    for (const controller of running.values()) controller.abort();
    end();
  } else if (message.name === 'keep' || message.name === 'forget') lists.hear(message);
  else if (message.name === 'cancel') running.get(message.id)?.abort();
  else void answer(message.id, message.name, message.input);
});
