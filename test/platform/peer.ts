import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** Another process that answers every message with one message, in order. */
export interface Peer {
  readonly pid: number;
  /** Sends a message and resolves to the answer. */
  ask(message: object): Promise<unknown>;
  /** Resolves to the next message without asking. */
  next(): Promise<unknown>;
}

/**
 * Starts `<name>.mjs` of this folder in a process of its own and ends it after the test. It is plain JavaScript over
 * dist/, because the oldest supported Node runs no TypeScript.
 */
export async function startPeer(name: string): Promise<Peer> {
  const child: ChildProcess = fork(fileURLToPath(new URL(`./${name}.mjs`, import.meta.url)), { execArgv: [] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${name} did not start`);
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const next = async (): Promise<unknown> => {
    const [message]: unknown[] = await once(child, 'message');
    return message;
  };
  const ready = next();
  await ready;
  return {
    pid,
    next,
    ask: (message) => {
      const answer = next();
      child.send(message);
      return answer;
    },
  };
}
