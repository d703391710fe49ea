import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPlace, startCommand, untilEnded, type Place } from './command-process.ts';

const Message = z.looseObject({ jsonrpc: z.literal('2.0'), id: z.number().optional() });
type Message = z.infer<typeof Message>;

interface Conversation {
  readonly child: ChildProcess;
  send(message: Readonly<Record<string, unknown>>): void;
  /** Every line of stdout so far. */
  readonly lines: readonly string[];
  answer(id: number): Promise<Message>;
}

function converse(child: ChildProcess): Conversation {
  const lines: string[] = [];
  const waiting = new Map<number, (message: Message) => void>();
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString('utf8')).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      const parsed = Message.safeParse(parseJson(line));
      if (parsed.success && parsed.data.id !== undefined) waiting.get(parsed.data.id)?.(parsed.data);
    }
  });
  return {
    child,
    lines,
    send: (message) => void child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`),
    answer: (id) => new Promise((resolve) => waiting.set(id, resolve)),
  };
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function handshake(talk: Conversation): Promise<Message> {
  const answer = talk.answer(0);
  const clientInfo = { name: 'test', version: '1' };
  talk.send({ id: 0, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
  const message = await answer;
  talk.send({ method: 'notifications/initialized' });
  return message;
}

const Submitted = z.object({ result: z.object({ structuredContent: z.object({ scan_id: z.string() }) }) });

async function call(talk: Conversation, id: number, name: string, args: Readonly<Record<string, unknown>>) {
  const answer = talk.answer(id);
  talk.send({ id, method: 'tools/call', params: { name, arguments: args } });
  return answer;
}

/** Accepts connections and never answers, so that a scan of it lasts. */
async function startSilentServer(): Promise<{ url: string; close: () => void }> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}

let place: Place;
beforeAll(() => {
  place = createPlace();
});
afterAll(() => place.clean());

const listScans = (id: number) => ({ id, method: 'tools/call', params: { name: 'list_scans', arguments: {} } });

describe('the MCP server on stdin and stdout', () => {
  it.each([[['--config', 'c', '--data', 'd']], [[]], [['--in-process']]])(
    'answers with arguments %j, writes only JSON-RPC on stdout even when it logs everything, and ends with stdin',
    async (argv) => {
      const child = startCommand(place, argv, { env: { LOG_LEVEL: 'debug' } });
      const ended = untilEnded(child);
      const talk = converse(child);
      expect(await handshake(talk)).toMatchObject({ result: { serverInfo: { name: 'scanmux' } } });
      const answer = talk.answer(1);
      talk.send(listScans(1));
      expect(await answer).toMatchObject({ result: { structuredContent: { scans: [] } } });
      child.stdin?.write('this is no JSON\n');
      child.stdin?.end();
      const { code, signal, stderr } = await ended;
      expect({ code, signal }).toEqual({ code: 0, signal: null });
      expect(talk.lines.filter((line) => !Message.safeParse(parseJson(line)).success)).toEqual([]);
      expect(stderr).not.toContain('MCP server and waits');
    },
  );

  it('answers what it was asked although stdin is already closed', async () => {
    const child = startCommand(place, []);
    const ended = untilEnded(child);
    const talk = converse(child);
    await handshake(talk);
    const answer = talk.answer(2);
    talk.send({ id: 2, method: 'tools/list' });
    child.stdin?.end();
    expect(await answer).toMatchObject({ result: { tools: expect.any(Array) } });
    expect((await ended).code).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with exit code 0 on %s while a call waits; the scan goes on and can be asked for again',
    async (signal) => {
      const silent = await startSilentServer();
      const first = startCommand(place, []);
      const firstEnded = untilEnded(first);
      const talk = converse(first);
      await handshake(talk);
      const submitted = Submitted.parse(await call(talk, 3, 'run_untrusted_scan', { targets: [silent.url] }));
      const { scan_id: scanId } = submitted.result.structuredContent;
      talk.send({ id: 4, method: 'tools/call', params: { name: 'wait_for_scan', arguments: { scan_id: scanId } } });
      // Answered after the waiting call was read, so that call is under way.
      await call(talk, 5, 'list_scans', {});
      first.kill(signal);
      expect(await firstEnded).toMatchObject({ code: 0, signal: null });

      const second = startCommand(place, []);
      const again = converse(second);
      await handshake(again);
      const cancelled = await call(again, 6, 'cancel_scan', { scan_id: scanId });
      expect(cancelled).toMatchObject({
        result: { structuredContent: { effect: expect.not.stringMatching('already') } },
      });
      second.stdin?.end();
      expect((await untilEnded(second)).code).toBe(0);
      silent.close();
    },
  );

  it('runs scans itself with --in-process, without any worker beside it', async () => {
    const alone = createPlace();
    const silent = await startSilentServer();
    silent.close();
    const child = startCommand(alone, ['--in-process']);
    const ended = untilEnded(child);
    const talk = converse(child);
    await handshake(talk);
    const answer = await call(talk, 7, 'run_untrusted_scan', { targets: [silent.url], wait_seconds: 45 });
    expect(answer).toMatchObject({ result: { structuredContent: { state: 'completed', verdict: 'not_tested' } } });
    expect(existsSync(join(alone.data, 'logs', 'worker.log'))).toBe(false);
    child.stdin?.end();
    expect((await ended).code).toBe(0);
    await alone.clean();
  });

  it('keeps stdout clean although a library writes there', async () => {
    const noise = 'setInterval(() => { console.log("noise"); process.stdout.write("noise\\n"); }, 5)';
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(`${noise}.unref()`)}`;
    const child = startCommand(place, [], { env: { NODE_OPTIONS } });
    const ended = untilEnded(child);
    const talk = converse(child);
    // What was written before the server took stdout is not its doing.
    await handshake(talk);
    const before = talk.lines.length;
    await call(talk, 8, 'list_scans', {});
    child.stdin?.end();
    expect((await ended).stderr).toContain('noise');
    expect(talk.lines.slice(before).filter((line) => !Message.safeParse(parseJson(line)).success)).toEqual([]);
  });

  it.each([
    ['without a stack', {}, false],
    ['with the stack for those who debug', { LOG_LEVEL: 'debug' }, true],
  ] as const)(
    'says one line about what nobody caught, %s, and ends with exit code 1',
    async (_title, level, hasStack) => {
      const boom = encodeURIComponent('process.on("SIGUSR2", () => { throw new Error("boom"); })');
      const NODE_OPTIONS = `--import=data:text/javascript,${boom}`;
      const child = startCommand(place, [], { env: { NODE_OPTIONS, ...level } });
      const ended = untilEnded(child);
      await handshake(converse(child));
      child.kill('SIGUSR2');
      const { code, stderr } = await ended;
      expect(code).toBe(1);
      const lines = stderr.trim().split('\n');
      expect(lines).toHaveLength(1);
      expect(parseJson(lines[0] ?? '')).toMatchObject({ level: 'error', err: { message: 'boom' } });
      expect(stderr.includes('stack')).toBe(hasStack);
    },
  );

  it('ends quietly when the client stops reading', async () => {
    const child = startCommand(place, []);
    const ended = untilEnded(child);
    await handshake(converse(child));
    child.stdout?.destroy();
    child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id: 4, method: 'tools/list' })}\n`);
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('tells a broken set-up to the agent at each call, with the fix and without a stack', async () => {
    const child = startCommand(place, ['--data', '/dev/null/data']);
    const talk = converse(child);
    const ended = untilEnded(child);
    await handshake(talk);
    const answer = talk.answer(5);
    talk.send(listScans(5));
    const text = JSON.stringify(await answer);
    expect(text).toContain('storage_unusable');
    expect(text).not.toMatch(/\\n +at /);
    child.stdin?.end();
    expect((await ended).code).toBe(0);
  });
});
