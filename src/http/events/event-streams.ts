import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { AppError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Reader } from './event-stream.ts';
import { comeBack, HEARTBEAT } from './sse-frame.ts';

export interface StreamLimits {
  /** Streams open at once in this process, of one tenant. */
  readonly perTenant: number;
  /** The same over all tenants. */
  readonly inAll: number;
  readonly maxAgeMs: number;
  readonly heartbeatMs: number;
  /** Most that may wait to be sent to one reader, besides what its connection takes. */
  readonly maxBufferedBytes: number;
}

export const STREAM_LIMITS: StreamLimits = {
  perTenant: 1_000,
  inAll: 10_000,
  maxAgeMs: 60 * 60_000,
  heartbeatMs: 15_000,
  maxBufferedBytes: 64 * 1024,
};

/** Streams are looked after in turns: all at once would hold up every event meanwhile. */
const TURNS = 60;
/** When the reader comes back by itself after its stream has ended. */
const COME_BACK_MS = 2_000;
/** After a shutdown readers come back over this long, not all at once. */
const SPREAD_MS = 5_000;

interface Open {
  readonly response: ServerResponse;
  readonly tenant: string;
  /** By the monotonic clock. */
  readonly until: number;
  /** Bytes the connection had taken at the last heartbeat, when more were waiting then. */
  stuckAt: number | undefined;
}

/** The open streams of one process: their number, their heartbeat and their end. */
export interface EventStreams {
  /**
   * Sends the head of a stream, whose reader it returns. `onGone` is called once, however the stream ends.
   * @throws AppError rate_limited, queue_unavailable when the server is going down
   */
  open(response: ServerResponse, tenant: string, onGone: () => void): Reader;
  count(): number;
}

interface Deps {
  readonly clock: Clock;
  readonly closing: AbortSignal;
  readonly limits?: Partial<StreamLimits>;
}

export const STREAM_HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  // nginx and those who copied it: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
  'X-Accel-Buffering': 'no',
} as const;

export function createEventStreams({ clock, closing, limits: over }: Deps): EventStreams {
  const limits = { ...STREAM_LIMITS, ...over };
  const turns = Array.from({ length: TURNS }, () => new Set<Open>());
  const ofTenant = new Map<string, number>();
  let count = 0;
  let next = 0;
  let timer: NodeJS.Timeout | undefined;

  const serveTurn = (): void => {
    next = (next + 1) % TURNS;
    for (const stream of turns[next] ?? []) lookAfter(stream, clock.monotonic());
  };
  const sayGoodbye = (): void => {
    for (const streams of turns)
      for (const { response } of streams)
        if (!response.writableEnded) response.end(comeBack(COME_BACK_MS + Math.random() * SPREAD_MS));
  };
  closing.addEventListener('abort', sayGoodbye, { once: true });

  const enter = (stream: Open): Set<Open> => {
    const turn = turns[count % TURNS] ?? new Set();
    turn.add(stream);
    count += 1;
    ofTenant.set(stream.tenant, (ofTenant.get(stream.tenant) ?? 0) + 1);
    timer ??= setInterval(serveTurn, limits.heartbeatMs / TURNS).unref();
    return turn;
  };
  const leave = (stream: Open, turn: Set<Open>): void => {
    turn.delete(stream);
    count -= 1;
    const left = (ofTenant.get(stream.tenant) ?? 1) - 1;
    if (left === 0) ofTenant.delete(stream.tenant);
    else ofTenant.set(stream.tenant, left);
    if (count > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  return {
    open(response, tenant, onGone) {
      if (closing.aborted) throw new AppError('queue_unavailable', 'This server is going down.');
      if ((ofTenant.get(tenant) ?? 0) >= limits.perTenant || count >= limits.inAll) throw tooMany();
      const stream: Open = { response, tenant, until: clock.monotonic() + limits.maxAgeMs, stuckAt: undefined };
      const turn = enter(stream);
      response.once('close', () => {
        leave(stream, turn);
        onGone();
      });
      // The end of the connection is the end of the body: no chunks to be framed, 10,000 times over for every event.
      response.useChunkedEncodingByDefault = false;
      response.shouldKeepAlive = false;
      response.writeHead(200, STREAM_HEADERS);
      response.write(comeBack(COME_BACK_MS));
      return new ResponseReader(response, limits.maxBufferedBytes);
    },
    count: () => count,
  };
}

const tooMany = (): AppError =>
  new AppError('rate_limited', 'Too many event streams are open.', {
    hint: 'Close one, or poll GET /api/scans/{scan_id}: it says the same.',
  });

function lookAfter(stream: Open, now: number): void {
  const { response } = stream;
  const waiting = response.writableLength;
  const taken = (response.socket?.bytesWritten ?? 0) - waiting;
  // Not a byte since the last heartbeat: the buffers of both systems are full, and nobody reads.
  if (waiting > 0 && stream.stuckAt === taken) response.destroy();
  else if (now >= stream.until) response.end();
  else if (waiting === 0 && !response.writableEnded) response.write(HEARTBEAT);
  stream.stuckAt = waiting > 0 ? taken : undefined;
}

class ResponseReader implements Reader {
  readonly #response: ServerResponse;
  readonly #maxBufferedBytes: number;

  constructor(response: ServerResponse, maxBufferedBytes: number) {
    this.#response = response;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  write(bytes: Buffer): boolean {
    // It ends, and is not closed yet: a write would be an error of the process.
    if (this.#response.writableEnded) return false;
    this.#response.write(bytes);
    return this.#response.writableLength <= this.#maxBufferedBytes;
  }

  async drained(): Promise<void> {
    if (this.#response.writableEnded) throw new Error('The stream has ended.');
    const gone = new AbortController();
    const stop = (): void => gone.abort();
    this.#response.once('close', stop);
    try {
      if (this.#response.writableNeedDrain) await once(this.#response, 'drain', { signal: gone.signal });
    } finally {
      this.#response.off('close', stop);
    }
  }

  end(): void {
    this.#response.end();
  }

  drop(): void {
    this.#response.destroy();
  }
}
