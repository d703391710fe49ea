import { openApp, type App } from '../app.ts';
import type { Environment } from '../config/environment.ts';
import { variable } from '../config/environment.ts';
import { configFolder, dataFolder } from '../config/folders.ts';
import { ALL_SCOPES, LOCAL_TENANT } from '../model/caller.ts';
import { newTraceId } from '../model/ids.ts';
import { createLog, type Log, type LogLevel } from '../platform/log.ts';
import type { Ask } from '../scans/deps.ts';
import type { Terminal } from './terminal.ts';

/** Options every command takes. */
export interface Globals {
  readonly config?: string;
  readonly data?: string;
}

export interface Folders {
  readonly config: string;
  readonly data: string;
}

/** What a command of a person works with. */
export interface Session {
  readonly terminal: Terminal;
  readonly env: Environment;
  /** Silent unless LOG_LEVEL is set: commands say what happens in their own words. */
  readonly log: Log;
  /** @throws AppError config_invalid when a folder is set to something relative */
  readonly folders: () => Folders;
  /** `scanmux init` with the `--config` that leads to the folder in use. */
  readonly initCommand: () => string;
  readonly ask: (signal?: AbortSignal) => Ask;
  /** Opens the application for one command and closes it whatever happens. @throws AppError as `openApp` */
  withApp<T>(body: (app: App) => Promise<T>, options?: { spawnWorker?: boolean }): Promise<T>;
}

const LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const satisfies readonly LogLevel[];

/** The level LOG_LEVEL names; undefined when it is unset or no level (the settings then say so). */
export const levelFrom = (env: Environment): LogLevel | undefined =>
  LEVELS.find((level) => level === variable(env, 'LOG_LEVEL')?.toLowerCase());

export function foldersOf(globals: Globals, env: Environment): Folders {
  return { config: configFolder({ flag: globals.config, env }), data: dataFolder({ flag: globals.data, env }) };
}

/** Nothing when the folder would be found without it; quoted for a shell where a shell would take it apart. */
function configOption(globals: Globals, env: Environment): string {
  const { config } = foldersOf(globals, env);
  if (config === foldersOf({}, env).config) return '';
  return ` --config ${/^[\w./\\:-]+$/.test(config) ? config : `'${config.replaceAll("'", String.raw`'\''`)}'`}`;
}

export function createSession(globals: Globals, terminal: Terminal, env: Environment): Session {
  const log = createLog(levelFrom(env) ?? 'silent');
  const traceId = newTraceId();
  const folders = (): Folders => foldersOf(globals, env);
  return {
    terminal,
    env,
    log,
    folders,
    initCommand: () => `scanmux init${configOption(globals, env)}`,
    ask: (signal = new AbortController().signal) => ({
      caller: { tenant: LOCAL_TENANT, name: 'cli', isOperator: true, scopes: ALL_SCOPES },
      traceId,
      signal,
    }),
    async withApp(body, { spawnWorker = true } = {}) {
      const { config, data } = folders();
      const app = await openApp({ configFolder: config, dataFolder: data, mode: 'stdio', log, env, spawnWorker });
      try {
        return await body(app);
      } finally {
        await app.close();
      }
    },
  };
}
