import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReplay, type SessionReplay } from '../../src/http/mcp-replay.ts';

const message = (words: string) => ({ jsonrpc: '2.0', method: 'notifications/message', params: { words } }) as const;

async function replayed(session: SessionReplay, lastEventId: string): Promise<unknown[]> {
  const seen: unknown[] = [];
  await session.replayEventsAfter(lastEventId, {
    send: (_eventId, sent) => {
      seen.push(sent);
      return Promise.resolve();
    },
  });
  return seen;
}

const ROOMY = { eventsPerSession: 100, bytesPerSession: 100_000, bytes: 1_000_000 };

describe('what a client missed', () => {
  it('is what was sent on its own stream after the event it saw last', async () => {
    const session = createReplay(ROOMY).forSession();
    const first = await session.storeEvent('stream-a', message('1'));
    await session.storeEvent('stream-b', message('other stream'));
    await session.storeEvent('stream-a', message('2'));
    await session.storeEvent('stream-a', message('3'));
    expect(await replayed(session, first)).toEqual([message('2'), message('3')]);
  });

  it('is unknown to every other session', async () => {
    const replay = createReplay(ROOMY);
    const eventId = await replay.forSession().storeEvent('stream', message('1'));
    const other = replay.forSession();
    expect(other.streamOf(eventId)).toBeUndefined();
    await expect(replayed(other, eventId)).rejects.toThrow();
  });

  it('has no gap and stays within its bounds, whatever is sent on whatever streams of whatever sessions', async () => {
    const events = fc.array(fc.tuple(fc.nat(2), fc.nat(1), fc.nat(400)), { maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(events, async (sent) => {
        const limits = { eventsPerSession: 10, bytesPerSession: 5_000, bytes: 9_000 };
        const replay = createReplay(limits);
        const sessions = [0, 1, 2].map(() => replay.forSession());
        const log: { id: string; session: number; stream: number; words: string }[] = [];
        for (const [session, stream, size] of sent) {
          const words = `${log.length}:${'x'.repeat(size)}`;
          const id = (await sessions[session]?.storeEvent(`stream-${stream}`, message(words))) ?? '';
          log.push({ id, session, stream, words });
          expect(replay.bytes()).toBeLessThanOrEqual(limits.bytes);
        }
        for (const [at, { id, session, stream }] of log.entries()) {
          const own = sessions[session];
          if (!own || own.streamOf(id) === undefined) continue;
          const later = log.slice(at + 1).filter((each) => each.session === session && each.stream === stream);
          expect(await replayed(own, id)).toEqual(later.map(({ words }) => message(words)));
        }
        for (const session of sessions) session.drop();
        expect(replay.bytes()).toBe(0);
      }),
      { numRuns: 40 },
    );
  });

  it('holds the newest message even where that alone is over the bound', async () => {
    const session = createReplay({ eventsPerSession: 5, bytesPerSession: 10, bytes: 1_000_000 }).forSession();
    const first = await session.storeEvent('stream', message('1'));
    const second = await session.storeEvent('stream', message('2'));
    expect(session.streamOf(first)).toBeUndefined();
    expect(session.streamOf(second)).toBe('stream');
  });
});
