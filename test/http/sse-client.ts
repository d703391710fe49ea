import { request, type IncomingMessage } from 'node:http';
import { onTestFinished } from 'vitest';
import { StreamedEvent } from '../../src/model/contract/events.ts';

export interface SseReader {
  readonly response: IncomingMessage;
  /** Ids and data of the events so far. */
  readonly events: readonly { readonly id: number; readonly data: StreamedEvent }[];
  /** Everything that came. */
  text(): string;
  /** Resolves once `isEnough` holds; rejects when the stream ends before. */
  until(isEnough: () => boolean): Promise<void>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Reads a stream as it comes. */
export async function readEvents(url: string, headers: Readonly<Record<string, string>>): Promise<SseReader> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, { headers, agent: false }, resolve).on('error', reject);
    onTestFinished(() => void asked.destroy());
    asked.end();
  });
  const events: { id: number; data: StreamedEvent }[] = [];
  const waiting = new Set<() => void>();
  let text = '';
  let isOver = false;
  const tell = (): void => {
    for (const look of waiting) look();
  };
  let rest = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const blocks = (rest + chunk).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(block) ?? [];
      if (id !== undefined && data !== undefined)
        events.push({ id: Number(id), data: StreamedEvent.parse(JSON.parse(data)) });
    }
    tell();
  });
  const ended = new Promise<void>((resolve) => {
    response.once('close', () => {
      isOver = true;
      resolve();
      tell();
    });
  });
  return {
    response,
    events,
    ended,
    text: () => text,
    until: (isEnough) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!isEnough() && !isOver) return;
          waiting.delete(look);
          if (isEnough()) resolve();
          else reject(new Error(`the stream ended after: ${text}`));
        };
        waiting.add(look);
        look();
      }),
    close: () => void response.destroy(),
  };
}
