import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Reader } from '../../src/http/events/event-stream.ts';
import { createEventStreams, type StreamLimits } from '../../src/http/events/event-streams.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { readEvents, type SseReader } from './sse-client.ts';

/** One stream over a real connection; `errors` would end a real server. */
async function opened(limits: Partial<StreamLimits> = {}) {
  const closing = new AbortController();
  const streams = createEventStreams({ clock: systemClock, closing: closing.signal, limits });
  const errors: Error[] = [];
  let reader: Reader | undefined;
  let response: ServerResponse | undefined;
  const server = createServer((_request, answer) => {
    answer.on('error', (error) => errors.push(error));
    response = answer;
    reader = streams.open(answer, 'local', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  const client: SseReader = await readEvents(
    `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/`,
    {},
  );
  if (!reader || !response) throw new Error('the stream is not open');
  return { closing, errors, client, reader, response };
}

describe('an event that comes while its stream ends', () => {
  it.each<[string, (stream: Awaited<ReturnType<typeof opened>>) => unknown]>([
    ['as everything was said', ({ reader }) => reader.end()],
    ['as the server goes down', ({ closing }) => closing.abort()],
    ['as it is old', ({ response }) => expect.poll(() => response.writableFinished, { timeout: 20_000 }).toBe(true)],
  ])('%s, is not sent, and harms nobody', async (why, end) => {
    const stream = await opened(why === 'as it is old' ? { maxAgeMs: 0, heartbeatMs: 60 } : {});
    await end(stream);
    const isSent = stream.reader.write(Buffer.from('late'));
    stream.closing.abort();
    await stream.client.ended;
    expect(stream.client.text()).not.toContain('late');
    expect(stream.errors).toEqual([]);
    expect(isSent).toBe(false);
    await expect(stream.reader.drained()).rejects.toThrow();
  });
});
