import type { ChildProcess } from 'node:child_process';
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

  it.each(['SIGTERM', 'SIGINT'] as const)('ends with exit code 0 on %s, also while a call waits', async (signal) => {
    const child = startCommand(place, []);
    const ended = untilEnded(child);
    const talk = converse(child);
    await handshake(talk);
    const answer = talk.answer(3);
    talk.send(listScans(3));
    await answer;
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 0, signal: null });
  });

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
