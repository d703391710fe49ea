import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openApp, type App, type AppOptions } from '../../src/app.ts';
import { Scope, type Caller } from '../../src/model/caller.ts';
import { errorFacts } from '../../src/model/errors.ts';
import { newTraceId } from '../../src/model/ids.ts';
import { createLog } from '../../src/platform/log.ts';
import type { Ask } from '../../src/scans/deps.ts';
import { TOOLS } from '../../src/tools/catalogue.ts';

export interface TenantsLab {
  readonly app: App;
  readonly data: string;
  readonly config: string;
  /** The answer of a tool, or `code: message` and the hint of its refusal. */
  readonly call: (caller: Caller, tool: string, args?: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

export const askOf = (caller: Caller): Ask => ({ caller, traceId: newTraceId(), signal: new AbortController().signal });

/** A caller over HTTP: everything an agent may do, unless scopes are given. */
export const tenantCaller = (tenant: string, scopes: readonly Scope[] = Scope.options.slice(0, -1)): Caller => ({
  tenant,
  name: `key:${tenant}`,
  isOperator: scopes.includes('admin'),
  scopes: new Set(scopes),
});

/** The application as a server opens it; nothing runs what is queued. */
export async function tenantsLab(
  files: Readonly<Record<string, string>> = {},
  over: Partial<AppOptions> = {},
): Promise<TenantsLab> {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-tenants-'));
  const config = mkdtempSync(join(folder, 'config-'));
  for (const [name, text] of Object.entries({ 'scanmux.yaml': 'storage_reserve_mb: 0\n', ...files }))
    writeFileSync(join(config, name), text);
  const data = join(folder, 'data');
  const app = await openApp({
    configFolder: config,
    dataFolder: data,
    mode: 'serve',
    log: createLog('silent'),
    env: { PATH: process.env['PATH'] ?? '' },
    spawnWorker: false,
    readerThreads: 0,
    ...over,
  });
  onTestFinished(async () => {
    await app.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    app,
    data,
    config,
    async call(caller, name, args = {}) {
      const tool = TOOLS.find((known) => known.name === name);
      const call = tool?.prepare(args);
      if (!call) throw new Error(`no tool ${name}`);
      if (call.error) throw call.error;
      try {
        return await call.run({ scans: app.scans, ask: askOf(caller), onProgress: undefined });
      } catch (error) {
        const { code, message, hint } = errorFacts(error);
        return `${code}: ${message} ${hint}`;
      }
    },
  };
}
