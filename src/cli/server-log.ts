import type { Environment } from '../config/environment.ts';
import { loadSettings } from '../config/settings.ts';
import { createLog, type Log } from '../platform/log.ts';

/** The log of a long-running process, as the settings say; with broken settings, whose error comes elsewhere, `info`. */
export function serverLog(configFolder: string, env: Environment, role: string): Log {
  try {
    return createLog(loadSettings({ configFolder, env }).log_level, { role });
  } catch {
    return createLog('info', { role });
  }
}
