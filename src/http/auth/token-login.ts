import { errors, jwtVerify } from 'jose';
import type { OidcSettings } from '../../config/settings-auth.ts';
import type { Caller } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { callerOfClaims } from './claims.ts';
import { createIssuerKeys } from './issuer-keys.ts';

/** Longer tokens do not fit into the headers of most servers either. */
const MAX_CHARS = 12_000;

/** Whom a token of the issuer speaks for. @throws AppError unauthenticated, issuer_unavailable */
export type TokenLogin = (token: string) => Promise<Caller>;

export function createTokenLogin(settings: OidcSettings, clock: Clock): TokenLogin {
  const keys = createIssuerKeys(settings, clock);
  return async (token) => {
    if (token.length > MAX_CHARS) throw refused('The token is too long.');
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms: settings.algorithms,
        clockTolerance: settings.clock_skew_seconds,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(clock.now()),
      });
      return callerOfClaims(payload, settings);
    } catch (error) {
      throw told(error);
    }
  };
}

/** Says which check failed and nothing of the token. */
function told(error: unknown): unknown {
  if (error instanceof errors.JWKSInvalid || error instanceof errors.JWKSTimeout) {
    return new AppError('issuer_unavailable', 'The keys of the issuer cannot be read.', { cause: error });
  }
  if (error instanceof errors.JWTExpired) return refused('The token has expired.', error);
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused(`The token is not for here: ${error.claim}.`, error);
  if (error instanceof errors.JOSEError) return refused('The token is not valid.', error);
  return error;
}

const refused = (message: string, cause?: unknown): AppError =>
  new AppError('unauthenticated', message, { cause, hint: 'Ask the issuer for a new token, or use an API key.' });
