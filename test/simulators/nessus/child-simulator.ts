import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { NessusSimulatorOptions } from '../../../src/simulators/nessus/simulator.ts';

const Said = z.object({
  url: z.string(),
  auth: z.object({ accessKey: z.string(), secretKey: z.string(), username: z.string(), password: z.string() }),
  certificate: z.string().optional(),
});

/** A simulator in a process of its own. What it knows, tests ask over its `/simulator/...` routes. */
export interface ChildSimulator extends z.infer<typeof Said> {
  readonly port: number;
  /** As the machine does when it has to: at once, whatever it is doing. */
  kill(): Promise<void>;
}

/** Needs `dist`. Keep the state with `stateFile`; start it again with the same `port`. */
export async function startChildSimulator(options: NessusSimulatorOptions): Promise<ChildSimulator> {
  const child: ChildProcess = spawn(
    process.execPath,
    [resolve('test/programs/nessus-simulator.mjs'), JSON.stringify(options)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  if (!child.stdout) throw new Error('no standard output');
  const lines = createInterface(child.stdout);
  const said = await Promise.race([
    once(lines, 'line').then(([line]: unknown[]) => Said.parse(JSON.parse(String(line)))),
    once(child, 'exit').then(() => Promise.reject(new Error('the simulator ended before it started'))),
  ]);
  return {
    ...said,
    port: Number(new URL(said.url).port),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
