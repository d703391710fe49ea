import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { OidcSettings } from '../../config/settings-auth.ts';
import { AppError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';

const TIMEOUT_MS = 5_000;
/** Keys are asked for again after this long. */
const KEYS_KEPT_MS = 600_000;
/** A key nobody knows makes us ask again, at most this often. */
const UNKNOWN_KEY_MS = 30_000;
/** An issuer that did not answer is left alone this long. */
const AFTER_FAILURE_MS = 5_000;
/** Keys that were fetched this recently are used while the issuer is away. */
const STALE_MS = 3_600_000;
const MAX_BYTES = 1 << 20;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

/**
 * The public keys of an issuer, fetched when first needed.
 * @throws AppError issuer_unavailable when the issuer does not answer and its keys are not known
 */
export function createIssuerKeys(settings: OidcSettings, clock: Clock): JWTVerifyGetKey {
  const fetchText = patiently(clock);
  let remote: Promise<JWTVerifyGetKey> | undefined;
  const found = async (): Promise<JWTVerifyGetKey> => {
    const url = settings.jwks_uri === '' ? await discover(settings.issuer, fetchText) : settings.jwks_uri;
    return createRemoteJWKSet(new URL(url), {
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: KEYS_KEPT_MS,
      cooldownDuration: UNKNOWN_KEY_MS,
      [customFetch]: async (address) => new Response(await fetchText(address)),
    });
  };
  return async (header, token) => {
    remote ??= found().catch((error: unknown) => {
      remote = undefined;
      throw error;
    });
    return (await remote)(header, token);
  };
}

/** Whether the issuer answers now, within seconds. @throws AppError issuer_unavailable */
export async function askIssuer({ issuer, jwks_uri: keys }: OidcSettings, clock: Clock): Promise<void> {
  const fetchText = patiently(clock);
  await fetchText(keys === '' ? await discover(issuer, fetchText) : keys);
}

/** @throws AppError issuer_unavailable, also for a document of another issuer: its keys would be another's (RFC 8414, 3.3) */
async function discover(issuer: string, fetchText: (url: string) => Promise<string>): Promise<string> {
  const text = await fetchText(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  const parsed = Discovery.safeParse(jsonOf(text));
  if (parsed.success && parsed.data.issuer === issuer && isSafe(parsed.data.jwks_uri, issuer))
    return parsed.data.jwks_uri;
  throw unavailable('The discovery document of the issuer is not as it should be (issuer, jwks_uri).');
}

/** Over plain HTTP only where the issuer itself is, which is loopback then. */
const isSafe = (keys: string, issuer: string): boolean =>
  new URL(keys).protocol === 'https:' || new URL(keys).origin === new URL(issuer).origin;

const unavailable = (message: string, cause?: unknown): AppError =>
  new AppError('issuer_unavailable', message, { cause, retryAfterSeconds: AFTER_FAILURE_MS / 1_000 });

/** Fetches a small document; one failure is remembered for a while, and an old answer may stand in meanwhile. */
function patiently(clock: Clock): (url: string) => Promise<string> {
  const last = new Map<string, { text?: { readonly said: string; readonly at: number }; failedAt?: number }>();
  return async (url) => {
    const known = last.get(url) ?? {};
    last.set(url, known);
    const standIn = (cause?: unknown): string => {
      if (known.text && clock.monotonic() - known.text.at < STALE_MS) return known.text.said;
      throw unavailable('The issuer of tokens did not answer.', cause);
    };
    if (known.failedAt !== undefined && clock.monotonic() - known.failedAt < AFTER_FAILURE_MS) return standIn();
    try {
      const said = await fetchDocument(url);
      known.text = { said, at: clock.monotonic() };
      delete known.failedAt;
      return said;
    } catch (error) {
      known.failedAt = clock.monotonic();
      return standIn(error);
    }
  };
}

async function fetchDocument(url: string): Promise<string> {
  const response = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status !== 200 || !response.body) throw new Error(`status ${response.status}`);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.length;
    if (bytes > MAX_BYTES) throw new Error('too long');
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8');
  JSON.parse(text);
  return text;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
