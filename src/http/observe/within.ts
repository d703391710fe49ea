import { AppError } from '../../model/errors.ts';

/** @throws AppError queue_unavailable when `work` takes longer; it goes on by itself, and nobody waits for it. */
export async function withinMs<T>(patienceMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AppError('queue_unavailable', `No answer within ${patienceMs / 1000} seconds.`));
    }, patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    // Nobody listens to it any more.
    work.catch(() => undefined);
  }
}
