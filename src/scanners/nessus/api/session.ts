import { z } from 'zod';
import type { Exchange, Outcome, TextReply } from './exchange.ts';
import { refusalError, scannerWords, unreachable } from './faults.ts';
import { errorWords } from './json-answer.ts';
import { refusedLogins } from './refused-logins.ts';
import { orAborted } from '../../../platform/or-aborted.ts';
import type { Timing } from './timing.ts';

/** How an instance is logged in to. */
export type Account =
  | { readonly kind: 'keys'; readonly accessKey: string; readonly secretKey: string }
  | { readonly kind: 'session'; readonly username: string; readonly password: string };

export type AuthHeaders = Readonly<Record<string, string>>;

/** The one login of an instance, for all its scans. */
export interface Login {
  /** @throws AppError scanner_login_failed, scanner_unreachable */
  headers(signal: AbortSignal): Promise<AuthHeaders>;
  /** The scanner no longer takes these headers. True: ask for others. */
  expired(headers: AuthHeaders): boolean;
  /** What must never be repeated. */
  readonly secrets: readonly string[];
  close(): Promise<void>;
}

export interface LoginDeps {
  readonly where: string;
  readonly timing: Pick<Timing, 'monotonic'>;
  /** One exchange without a login; ends by itself. */
  readonly send: (request: Exchange) => Promise<Outcome<TextReply>>;
}

export const createLogin = (account: Account, deps: LoginDeps): Login =>
  account.kind === 'keys' ? keysLogin(account) : sessionLogin(account, deps);

function keysLogin({ accessKey, secretKey }: Extract<Account, { kind: 'keys' }>): Login {
  const headers = { 'x-apikeys': `accessKey=${accessKey}; secretKey=${secretKey}` };
  return {
    headers: () => Promise.resolve(headers),
    expired: () => false,
    secrets: [accessKey, secretKey],
    close: () => Promise.resolve(),
  };
}

const Token = z.object({ token: z.string().regex(/^[\x21-\x3a\x3c-\x7e]{1,512}$/) });

function sessionLogin({ username, password }: Extract<Account, { kind: 'session' }>, deps: LoginDeps): Login {
  const { where, timing, send } = deps;
  let current: AuthHeaders | undefined;
  let pending: Promise<AuthHeaders> | undefined;
  const refused = refusedLogins(timing, [where, username, password]);
  const secrets = [password];

  const open = async (): Promise<AuthHeaders> => {
    const earlier = refused.recent();
    if (earlier) throw earlier;
    const outcome = await send({
      method: 'POST',
      path: '/session',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    if (!outcome.ok) throw unreachable(where, outcome.fault);
    const { status, text } = outcome.reply;
    if (status >= 200 && status < 300) {
      const token = tokenOf(text);
      if (token === undefined) throw unreachable(where, { kind: 'odd', why: 'its answer to a login holds no token' });
      secrets.splice(1, secrets.length, token);
      current = { 'x-cookie': `token=${token}` };
      return current;
    }
    const words = scannerWords(errorWords(text), secrets);
    // 400: a user name that cannot be.
    const error = refusalError({ where, status: status === 400 || status === 403 ? 401 : status, words });
    if (error.code === 'scanner_login_failed') refused.note(error);
    throw error;
  };

  return {
    secrets,
    async headers(signal) {
      if (current) return current;
      // Shared: whoever asks meanwhile waits for the same login, and nobody's abort ends it for the others.
      pending ??= refused.inTurn(open).finally(() => {
        pending = undefined;
      });
      return await orAborted(pending, signal);
    },
    expired(headers) {
      if (headers === current) current = undefined;
      return true;
    },
    async close() {
      const headers = current;
      current = undefined;
      if (headers) await send({ method: 'DELETE', path: '/session', headers });
    },
  };
}

function tokenOf(text: string): string | undefined {
  try {
    return Token.safeParse(JSON.parse(text)).data?.token;
  } catch {
    return undefined;
  }
}
