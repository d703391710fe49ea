import { setTimeout as delay } from 'node:timers/promises';
import { openApp, type App, type AppOptions } from '../app.ts';
import { loadSettings } from '../config/settings.ts';
import { AppError } from '../model/errors.ts';

const AGAIN_AFTER_MS = 2_000;

/**
 * Opens the application. Services start in any order: while a Redis that is away keeps it from opening, it tries again,
 * until `signal` aborts; then undefined. `onAway` is called once, when the first try has failed.
 * @throws AppError as `openApp`
 */
export async function openPatiently(
  options: AppOptions,
  signal: AbortSignal,
  onAway: () => void = () => undefined,
): Promise<App | undefined> {
  let isTold = false;
  while (!signal.aborted) {
    try {
      return await openApp(options);
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'queue_unavailable') || !usesRedis(options)) throw error;
      if (!isTold) {
        options.log.warn({ code: error.code, hint: error.hint }, `${error.message} Trying again until it is there.`);
        onAway();
      }
      isTold = true;
    }
    await delay(AGAIN_AFTER_MS, undefined, { signal }).catch(() => undefined);
  }
  return undefined;
}

const usesRedis = ({ configFolder, env }: AppOptions): boolean =>
  loadSettings({ configFolder, env }).redis.url !== undefined;
