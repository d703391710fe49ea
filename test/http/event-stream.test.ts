import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStream, type EventLog, type Reader } from '../../src/http/events/event-stream.ts';
import { newestEvent } from '../../src/scans/newest-event.ts';
import { frameOf } from '../../src/http/events/sse-frame.ts';
import type { ScanEvent } from '../../src/queue/queue.ts';

const SCAN = 'scan_00000000000000000000';

/** A log that grows, with its last event final. */
const logOf = (count: number): ScanEvent[] =>
  Array.from({ length: count }, (_, index) => ({
    scanId: SCAN,
    seq: index + 1,
    at: index,
    state: index + 1 === count ? 'failed' : 'running',
  }));

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('one stream', () => {
  it('has each event once and in order, wherever it begins, however slowly it is read and in whatever lumps', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          count: fc.integer({ min: 1, max: 300 }),
          atFirst: fc.integer({ min: 1, max: 300 }),
          settle: fc.constantFrom(0, 1, 200),
          from: fc.integer({ min: 0, max: 300 }),
          lumps: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }),
          room: fc.integer({ min: 1, max: 20 }),
          pauses: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
        }),
        async ({ count, atFirst, settle, from, lumps, room, pauses }) => {
          const log = logOf(count);
          let newest = Math.min(atFirst, count);
          const begin = Math.min(from, newest - 1);
          const got: string[] = [];
          let [waiting, ends, reads] = [0, 0, 0];
          const reader: Reader = {
            write(bytes) {
              expect(ends).toBe(0);
              got.push(bytes.toString());
              waiting += 1;
              return waiting < room;
            },
            async drained() {
              await turn();
              waiting = 0;
            },
            end: () => void (ends += 1),
            drop: () => expect.fail('dropped'),
          };
          const known: EventLog = {
            newest: () => ({ seq: newest }),
            async eventsAfter(seq, limit) {
              reads += 1;
              if (pauses[reads % pauses.length]) await turn();
              return log.slice(seq, Math.min(newest, seq + limit));
            },
            noteFailure: (error) => expect.fail(String(error)),
          };
          const stream = new EventStream(reader, known, begin);
          for (let n = 0; n < settle; n += 1) await turn();
          for (let n = 0; newest < count; n += 1) {
            const lump = log.slice(newest, newest + (lumps[n % lumps.length] ?? 1));
            newest += lump.length;
            stream.take(lump.map(frameOf));
            if (pauses[n % pauses.length]) await turn();
            if (pauses[n % pauses.length]) waiting = 0;
          }
          for (let n = 0; n < 2_000 && ends === 0; n += 1) await turn();
          expect(got).toEqual(log.slice(begin).map((event) => frameOf(event).bytes.toString()));
          expect(ends).toBe(1);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is dropped when the log cannot be read: who reads it comes back', async () => {
    const told: string[] = [];
    const reader: Reader = {
      write: () => true,
      drained: turn,
      end: () => void told.push('end'),
      drop: () => void told.push('drop'),
    };
    const log: EventLog = {
      newest: () => ({ seq: 5 }),
      eventsAfter: () => Promise.reject(new Error('away')),
      noteFailure: (error) => void told.push(String(error)),
    };
    const stream = new EventStream(reader, log, 0);
    stream.take(logOf(9).slice(5).map(frameOf));
    await turn();
    expect(told).toEqual(['Error: away', 'drop']);
  });
});

describe('the newest event', () => {
  it('is found in few looks, however long the log is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 100_000 }), async (count) => {
        const log = logOf(count);
        let looks = 0;
        const events = (_tenant: string, _scanId: string, after: number, limit = 1_000) => {
          looks += 1;
          return Promise.resolve(log.slice(after, after + limit));
        };
        expect(await newestEvent({ events }, 't', SCAN)).toEqual(log.at(-1));
        expect(looks).toBeLessThan(40);
      }),
      { numRuns: 100 },
    );
  });
});
