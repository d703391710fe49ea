import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { QUEUE_WORKER } from './programs.ts';
import type { WorkerSettings } from './queue-sides.ts';

const Job = z.object({
  id: z.string(),
  instance: z.string(),
  startedAt: z.coerce.bigint(),
  endedAt: z.coerce.bigint(),
});
export type Job = z.infer<typeof Job>;

/** Worker processes of one side, and what they tell. */
export interface Workers {
  /** The first `count` jobs that ended since the call before. */
  next(count: number): Promise<readonly Job[]>;
  close(): Promise<void>;
}

export async function startWorkers(count: number, settings: WorkerSettings): Promise<Workers> {
  const told: Job[] = [];
  let heard = (): void => undefined;
  const start = async (): Promise<ChildProcess> => {
    const child = fork(QUEUE_WORKER, [JSON.stringify(settings)], { execArgv: [] });
    await once(child, 'message');
    child.on('message', (message) => {
      told.push(Job.parse(message));
      heard();
    });
    return child;
  };
  const children = await Promise.all(Array.from({ length: count }, start));
  return {
    async next(wanted) {
      while (told.length < wanted) await new Promise<void>((resolve) => (heard = resolve));
      return told.splice(0, wanted);
    },
    async close() {
      for (const child of children) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    },
  };
}
