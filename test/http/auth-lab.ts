import type { NewAuditEntry } from '../../src/audit/entry.ts';
import { LimitSettings, OidcSettings } from '../../src/config/settings-auth.ts';
import { createAuthenticator, type AuthenticatorOptions } from '../../src/http/auth/authenticator.ts';
import type { Authenticator } from '../../src/http/deps.ts';
import type { Caller } from '../../src/model/caller.ts';
import { apiKeyHash, newApiKey } from '../../src/model/api-key.ts';
import { createLog } from '../../src/platform/log.ts';
import type { ApiKey, ApiKeys } from '../../src/queue/api-keys.ts';
import { fakeClock } from '../queue/sqlite-harness.ts';

export interface Lab {
  readonly authenticator: Authenticator;
  readonly clock: ReturnType<typeof fakeClock>;
  readonly audited: NewAuditEntry[];
  /** Questions that went to the store. */
  readonly asked: { count: number };
  readonly stored: Map<string, ApiKey>;
  readonly makeKey: (over?: Partial<ApiKey>) => { text: string; prefix: string };
  /** In force once the second is over for which a login is remembered. */
  readonly revoke: (key: { readonly text: string }) => void;
  readonly as: (authorization: string | undefined, remoteAddress?: string) => Promise<Caller>;
}

/** An authenticator on keys in memory and a clock that only moves when told. */
export function authLab(
  limits: Partial<LimitSettings> = {},
  over: Partial<AuthenticatorOptions> & { readonly oidcKeys?: Partial<OidcSettings> } = {},
): Lab {
  const clock = fakeClock();
  const stored = new Map<string, ApiKey>();
  const audited: NewAuditEntry[] = [];
  const asked = { count: 0 };
  const keys: ApiKeys = {
    add: async (key) => void stored.set(key.sha256, key),
    find: async (sha256) => {
      asked.count += 1;
      return stored.get(sha256);
    },
    list: async () => [...stored.values()],
    revoke: async () => false,
  };
  const { oidcKeys, ...options } = over;
  const authenticator = createAuthenticator({
    keys,
    oidc: OidcSettings.parse(oidcKeys ?? {}),
    limits: LimitSettings.parse(limits),
    audit: async (entry) => void audited.push(entry),
    clock,
    log: createLog('silent'),
    ...options,
  });
  return {
    authenticator,
    clock,
    audited,
    asked,
    stored,
    makeKey(more = {}) {
      const { text, prefix } = newApiKey();
      const sha256 = apiKeyHash(text);
      const facts = { tenant: 'acme', name: 'ci', scopes: ['scan:read'] as const, createdAt: clock.now() };
      stored.set(sha256, { prefix, sha256, ...facts, ...more });
      return { text, prefix };
    },
    revoke({ text }) {
      const sha256 = apiKeyHash(text);
      const key = stored.get(sha256);
      if (key) stored.set(sha256, { ...key, revokedAt: clock.now() });
      clock.advance(1_000);
    },
    as: (authorization, remoteAddress = '192.0.2.1') => authenticator.authenticate({ authorization, remoteAddress }),
  };
}
