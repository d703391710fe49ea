import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A client of a stdio server that costs next to nothing itself: lines of JSON, no schemas. The SDK's own client would
 * add its time to both sides and flatter the ratio.
 */
export interface Wire {
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly isError?: boolean;
}

interface Message {
  readonly id?: number;
  readonly result?: Answer;
  readonly error?: { readonly message: string };
}

const INITIALIZE = {
  protocolVersion: '2025-06-18',
  capabilities: {},
  clientInfo: { name: 'bench', version: '1.0.0' },
} as const;

/** Starts a server program and resolves when it has answered `initialize`. */
export async function connect(argv: readonly string[]): Promise<Wire> {
  const child = spawn(process.execPath, argv, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'warn' },
  });
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>();
  let lastId = 0;
  let rest = '';
  const take = (line: string): void => {
    const { id, result, error }: Message = JSON.parse(line);
    const asked = id === undefined ? undefined : waiting.get(id);
    if (id === undefined || !asked) return;
    waiting.delete(id);
    if (result) asked.resolve(result);
    else asked.reject(new Error(error?.message ?? 'an answer without a result'));
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  const exited = once(child, 'exit').then(([code, signal]) => {
    for (const { reject } of waiting.values()) reject(new Error(`the server ended: ${String(code ?? signal)}`));
  });
  const request = (method: string, params: object): Promise<Answer> =>
    new Promise((resolve, reject) => {
      lastId += 1;
      waiting.set(lastId, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params })}\n`);
    });

  await request('initialize', INITIALIZE);
  child.stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  return {
    call: (tool, args) => request('tools/call', { name: tool, arguments: args }),
    async close() {
      child.stdin.end();
      await exited;
    },
  };
}
