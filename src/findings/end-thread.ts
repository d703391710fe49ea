/** The part of a worker thread that ending it needs. */
interface EndingThread {
  once(event: 'exit', listener: () => void): unknown;
  ref(): void;
  terminate(): Promise<number>;
}

/** Longer than any one step of a job. A thread that still runs then is stuck, and would also hang the program. */
const MOST_MS = 10_000;

/**
 * Notes when a thread has ended. Call it before the thread can have.
 * @returns a function that lets the thread end by itself, told so by `tell`. To terminate a thread in the middle of a call
 *   to SQLite aborts the whole process: what the driver throws then has nobody to catch it (N-API, every Node version).
 */
export function watchEnd(thread: EndingThread, tell: () => void, mostMs = MOST_MS): () => Promise<void> {
  const exited = new Promise<void>((resolve) => void thread.once('exit', resolve));
  return async () => {
    // Its end is waited for; nothing else might keep the process alive until then.
    thread.ref();
    tell();
    const force = setTimeout(() => void thread.terminate(), mostMs);
    await exited;
    clearTimeout(force);
  };
}
