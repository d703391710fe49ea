import { z } from 'zod';
import { apiKeyHash, KEY_PREFIX, newApiKey, prefixOfKey } from '../../model/api-key.ts';
import { LOCAL_TENANT, Scope, Tenant } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import type { ApiKey } from '../../queue/api-keys.ts';
import { exitCode } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { renderTable } from '../render/table.ts';
import type { Session } from '../session.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 3_650;
const DEFAULT_SCOPES: readonly Scope[] = ['scan:read', 'scan:run'];

export interface CreateKeyOptions {
  readonly name: string;
  readonly tenant?: string;
  readonly scopes?: readonly string[];
  readonly expires?: string;
  readonly json?: boolean;
}

const Typed = z.strictObject({
  name: z.string().trim().min(1, 'must say who or what uses it').max(100),
  tenant: Tenant.default(LOCAL_TENANT),
  scopes: z
    .array(Scope)
    .min(1, 'must name a scope')
    .default([...DEFAULT_SCOPES]),
  expires: z.string().optional(),
});

/** `scanmux keys create`: the key itself goes to stdout once, and only its hash is kept. */
export const createKey = (session: Session, options: CreateKeyOptions): Promise<number> =>
  session.withApp(
    async ({ keys, audit }) => {
      const { json = false, ...typed } = options;
      const { name, tenant, scopes, expires } = readInput(Typed, { ...typed });
      const now = Date.now();
      const expiresAt = expires === undefined ? undefined : expiryOf(expires, now);
      const { text, prefix } = newApiKey();
      const { caller, traceId } = session.ask();
      const shown = cleanLine(name, 100);
      const until = expiresAt === undefined ? {} : { expires_at: new Date(expiresAt).toISOString() };
      const detail = { key: prefix, tenant, name: shown, scopes: [...scopes], ...until };
      await audit.append({ caller, action: 'key_create', decision: 'allowed', traceId, detail });
      await keys.add({
        prefix,
        sha256: apiKeyHash(text),
        tenant,
        name: shown,
        scopes: Scope.options.filter((scope) => scopes.includes(scope)),
        createdAt: now,
        ...(expiresAt === undefined ? {} : { expiresAt }),
      });
      const { terminal } = session;
      terminal.out(json ? JSON.stringify({ ...detail, key: text, prefix }, undefined, 2) : text);
      terminal.note(
        `This is the only time the key is shown. ${prefix} is of tenant ${tenant}, may ${scopes.join(', ')}, and ${
          expiresAt === undefined ? 'does not expire' : `expires ${new Date(expiresAt).toISOString()}`
        }.`,
      );
      return exitCode('ok');
    },
    { spawnWorker: false },
  );

/** `90d`, `12h`, or the last day as `2027-01-31` (UTC). Epoch milliseconds. @throws AppError invalid_request */
function expiryOf(text: string, now: number): number {
  const [, count = '', unit = ''] = /^(\d{1,6})([dh])$/.exec(text) ?? [];
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
  const at =
    unit !== '' ? now + Number(count) * (unit === 'd' ? DAY_MS : 3_600_000) : isDay ? Date.parse(text) + DAY_MS : 0;
  if (at > now && at <= now + MOST_DAYS * DAY_MS) return at;
  throw new AppError(
    'invalid_request',
    `--expires ${JSON.stringify(cleanLine(text, 40))}: must be like 90d, 12h or 2027-01-31, and lie ahead.`,
    {
      hint: `At most ${MOST_DAYS} days; leave it out for a key that does not expire.`,
    },
  );
}

/** `scanmux keys list`: every key of every tenant, without secrets. */
export const listKeys = (session: Session, { json }: { json?: boolean }): Promise<number> =>
  session.withApp(
    async ({ keys }) => {
      const { terminal } = session;
      const now = Date.now();
      const found = await keys.list();
      if (json === true)
        terminal.out(
          JSON.stringify(
            found.map((key) => publicFacts(key, now)),
            undefined,
            2,
          ),
        );
      else if (found.length === 0) terminal.out('No keys. `scanmux keys create --name <text>` makes one.');
      else terminal.out(tableOf(found, now, session));
      return exitCode('ok');
    },
    { spawnWorker: false },
  );

type KeyState = 'active' | 'expired' | 'revoked';

const stateOf = ({ revokedAt, expiresAt = Infinity }: ApiKey, now: number): KeyState =>
  revokedAt !== undefined ? 'revoked' : expiresAt <= now ? 'expired' : 'active';

const time = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();

const publicFacts = (key: ApiKey, now: number) => ({
  prefix: key.prefix,
  state: stateOf(key, now),
  tenant: key.tenant,
  name: key.name,
  scopes: key.scopes,
  created_at: time(key.createdAt),
  expires_at: time(key.expiresAt),
  revoked_at: time(key.revokedAt),
});

function tableOf(found: readonly ApiKey[], now: number, { terminal }: Session): string {
  const rows = found.map((key) => [
    key.prefix,
    stateOf(key, now),
    key.tenant,
    key.name,
    key.scopes.join(','),
    time(key.expiresAt)?.slice(0, 10) ?? 'never',
  ]);
  const titles = [
    { title: 'KEY', least: 12 },
    ...['STATE', 'TENANT', 'NAME', 'SCOPES', 'EXPIRES'].map((title) => ({ title })),
  ];
  return renderTable(titles, rows, { columns: terminal.columns, head: (line) => terminal.paint(line, 'bold') });
}

/** `scanmux keys revoke <prefix>`: no server takes it from now on. */
export const revokeKey = (session: Session, written: string): Promise<number> =>
  session.withApp(
    async ({ keys, audit }) => {
      // Whoever has the whole key at hand may give that; it is not repeated.
      const prefix = prefixOfKey(written) ?? written;
      if (!KEY_PREFIX.test(prefix)) {
        throw new AppError('invalid_request', 'This is no key: a prefix looks like smx_1a2b3c4d.', {
          hint: '`scanmux keys list` shows the keys there are.',
        });
      }
      const { caller, traceId } = session.ask();
      const note = (decision: 'allowed' | 'denied') =>
        audit.append({ caller, action: 'key_revoke', decision, traceId, detail: { key: prefix } });
      const isThere = (await keys.list()).some((key) => key.prefix === prefix && key.revokedAt === undefined);
      // Written before it happens, as everything is; what cannot happen is no revocation.
      await note(isThere ? 'allowed' : 'denied');
      if (!isThere || !(await keys.revoke(prefix))) {
        throw new AppError('invalid_request', `${prefix} is no key, or was revoked before.`, {
          hint: '`scanmux keys list` shows the keys there are.',
        });
      }
      session.terminal.out(`${prefix} is revoked: within seconds no server takes it any more.`);
      return exitCode('ok');
    },
    { spawnWorker: false },
  );
