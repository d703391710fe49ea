import { createHash } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** What came of one download. Only `whole` ends with the last tag of a report. */
export type Copied = 'whole' | 'cut' | 'differs' | 'no_report';

/** Writes one report that may need several downloads: each takes up where the one before broke off. */
export interface ReportCopy {
  readonly bytes: number;
  /** @throws what `report` fails with, and the reason of an abort */
  take(body: Readable, signal: AbortSignal): Promise<Copied>;
}

const HEAD_BYTES = 512;
const TAIL_BYTES = 64;
const BEGINS = /^\u{feff}?\s*<(\?xml|NessusClientData)/u;
const ENDS = /<\/NessusClientData_v2\s*>\s*$/;

/** @param atWork called for every piece that was written */
export function createReportCopy(report: Writable, atWork?: () => void): ReportCopy {
  const hash = createHash('sha256');
  let bytes = 0;
  let tail = Buffer.alloc(0);

  const keep = async (chunk: Buffer): Promise<void> => {
    if (chunk.length === 0) return;
    await write(report, chunk);
    atWork?.();
    hash.update(chunk);
    bytes += chunk.length;
    tail = Buffer.concat([tail, chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
  };

  /** What is there already is compared, not written again. */
  const take = async (body: Readable): Promise<Copied> => {
    const seen = createHash('sha256');
    let skip = bytes;
    for await (const chunk of withHead(chunksOf(body))) {
      if (chunk === undefined) return 'no_report';
      const known = chunk.subarray(0, skip);
      if (known.length > 0) {
        seen.update(known);
        skip -= known.length;
        if (skip === 0 && !seen.digest().equals(hash.copy().digest())) return 'differs';
      }
      await keep(chunk.subarray(known.length));
    }
    return skip === 0 && ENDS.test(tail.toString('latin1')) ? 'whole' : 'cut';
  };

  return {
    get bytes() {
      return bytes;
    },
    async take(body, signal) {
      try {
        const copied = await take(body);
        signal.throwIfAborted();
        return copied;
      } finally {
        body.destroy();
      }
    },
  };
}

/** A download that breaks ends there: what is missing shows at its end. */
async function* chunksOf(body: Readable): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const piece of body) if (Buffer.isBuffer(piece)) yield piece;
  } catch {
    // Whether it broke or was aborted is for the caller to see.
  }
}

/** The chunks, once enough came to see that this is a report; undefined when it is none. */
async function* withHead(chunks: AsyncGenerator<Buffer>): AsyncGenerator<Buffer | undefined, void, undefined> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of chunks) {
    if (!head) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length < HEAD_BYTES) continue;
    yield isReport(head) ? head : undefined;
    head = undefined;
  }
  // A short one is a beginning that broke off, unless it begins as something else.
  if (head && head.length > 0) yield isReport(head) ? head : undefined;
}

const isReport = (head: Buffer): boolean => BEGINS.test(head.toString('utf8', 0, HEAD_BYTES));

/** Resolves when the chunk is taken: a slow store slows the download, and nothing piles up in memory. */
const write = (report: Writable, chunk: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    report.write(chunk, (error) => (error ? reject(error) : resolve()));
  });

/** Also after a failure: what was written is kept. A store that failed has already said so to whoever owns it. */
export async function endReport(report: Writable): Promise<void> {
  if (report.destroyed) return;
  report.end();
  await finished(report, { readable: false }).catch(() => undefined);
}
