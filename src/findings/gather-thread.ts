import { parentPort, workerData } from 'node:worker_threads';
import { z } from 'zod';
import { columnsOf, createGatherer } from './gather.ts';
import type { FromGatherThread, ToGatherThread } from './gather-in-thread.ts';
import { memoryOf } from './packed-findings.ts';
import { toFailure } from './thread-messages.ts';

// The program of a thread that writes the findings of one report: see gather-in-thread.ts, which starts it.
const reply = (message: FromGatherThread): void => parentPort?.postMessage(message);

function start(): (message: ToGatherThread) => void {
  const gatherer = createGatherer(
    z.object({ findings: z.string(), staging: z.string(), maxFileBytes: z.number() }).parse(workerData),
  );
  return (message) => {
    if (message.kind === 'batch') {
      gatherer.take(message.batch);
      const memory = memoryOf(message.batch);
      parentPort?.postMessage({ kind: 'taken', memory } satisfies FromGatherThread, Object.values(memory));
    } else if (message.kind === 'leave') {
      gatherer.close();
      parentPort?.close();
    } else {
      const gathered = gatherer.finish();
      parentPort?.postMessage({ kind: 'gathered', gathered } satisfies FromGatherThread, columnsOf(gathered));
      parentPort?.close();
    }
  };
}

try {
  const hear = start();
  parentPort?.on('message', (message: ToGatherThread) => {
    try {
      hear(message);
    } catch (error) {
      reply({ kind: 'failed', failure: toFailure(error) });
      parentPort?.close();
    }
  });
} catch (error) {
  reply({ kind: 'failed', failure: toFailure(error) });
}
