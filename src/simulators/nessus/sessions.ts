import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Refusal } from './answer.ts';
import type { AuthKind } from './call.ts';
import type { Clock } from './clock.ts';
import type { Scenario } from './scenario.ts';

const same = (given: string, right: string): boolean =>
  timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(right).digest());

/** Who may ask. Sessions end when nobody used them for a while, and with the process. */
export class Sessions {
  readonly #auth: Scenario['auth'];
  readonly #clock: Clock;
  /** Token -> when it was used last. */
  readonly #usedAt = new Map<string, number>();
  #wrongInARow = 0;

  constructor(auth: Scenario['auth'], clock: Clock) {
    this.#auth = auth;
    this.#clock = clock;
  }

  /** How many are open now. */
  get size(): number {
    this.#dropIdle();
    return this.#usedAt.size;
  }

  /** @returns the token. @throws Refusal 401 for a wrong password, 403 when locked, 500 with too many sessions */
  logIn(username: string, password: string): string {
    if (this.#wrongInARow >= this.#auth.lock_after) throw new Refusal(403, 'Account locked out');
    if (!same(username, this.#auth.username) || !same(password, this.#auth.password)) {
      this.#wrongInARow += 1;
      throw new Refusal(401, 'Invalid Credentials');
    }
    this.#wrongInARow = 0;
    if (this.size >= this.#auth.session_limit) throw new Refusal(500, 'Too many sessions');
    const token = randomBytes(24).toString('hex');
    this.#usedAt.set(token, this.#clock.now());
    return token;
  }

  logOut(headers: Headers): void {
    this.#usedAt.delete(tokenOf(headers) ?? '');
  }

  endAll(): void {
    this.#usedAt.clear();
  }

  /** Says who asks, and counts that as use of the session. */
  check(headers: Headers): AuthKind {
    const keys = /^\s*accessKey=([^;\s]+);\s*secretKey=([^;\s]+);?\s*$/i.exec(textOf(headers['x-apikeys']));
    if (keys) {
      const { access_key: access, secret_key: secret } = this.#auth;
      return same(keys[1] ?? '', access) && same(keys[2] ?? '', secret) ? 'keys' : 'refused';
    }
    if (headers['x-apikeys'] !== undefined) return 'refused';
    const token = tokenOf(headers);
    if (token === undefined) return 'none';
    this.#dropIdle();
    if (!this.#usedAt.has(token)) return 'refused';
    this.#usedAt.set(token, this.#clock.now());
    return 'session';
  }

  #dropIdle(): void {
    const oldest = this.#clock.now() - this.#auth.idle_timeout_ms;
    for (const [token, usedAt] of this.#usedAt) if (usedAt < oldest) this.#usedAt.delete(token);
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

const textOf = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');
const tokenOf = (headers: Headers): string | undefined => /^\s*token=([^;\s]+)/.exec(textOf(headers['x-cookie']))?.[1];
