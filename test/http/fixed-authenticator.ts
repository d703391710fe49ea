import { AGENT_SCOPES, type Caller } from '../../src/model/caller.ts';
import { AppError } from '../../src/model/errors.ts';
import { ALWAYS_STANDS } from '../../src/http/auth/standing.ts';
import type { Authenticator } from '../../src/http/deps.ts';

/** A caller for tests: everything an agent may do, unless told otherwise. */
export const callerNamed = (name: string, more: Partial<Caller> = {}): Caller => ({
  tenant: 'local',
  name,
  isOperator: false,
  scopes: AGENT_SCOPES,
  ...more,
});

/** Every request comes from this caller. */
export const fixedAuthenticator = (caller: Caller): Authenticator => ({
  authenticate: () => Promise.resolve(caller),
  standing: ALWAYS_STANDS,
});

/** `Authorization: Bearer <key>` says which caller it is; without one nobody knows. */
export const authenticatorOf = (callers: Readonly<Record<string, Caller>>): Authenticator => ({
  standing: ALWAYS_STANDS,
  authenticate({ authorization }) {
    const caller = callers[authorization?.replace(/^Bearer /, '') ?? ''];
    return caller
      ? Promise.resolve(caller)
      : Promise.reject(new AppError('unauthenticated', 'This server wants to know who asks.'));
  },
});
