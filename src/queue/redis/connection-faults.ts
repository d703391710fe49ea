import { AppError } from '../../model/errors.ts';

/** What Node and Redis say of a login or a certificate that will not do, by the code or the first word. */
const REFUSALS: readonly { readonly isIt: RegExp; readonly said: string; readonly hint: string }[] = [
  {
    isIt: /^(WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password|NOPERM this user)\b/i,
    said: 'Redis refuses the login',
    hint: 'Operator: correct user and password in REDIS_URL (special characters percent-encoded) or in the password file.',
  },
  {
    isIt: /^NOPERM\b/i,
    said: 'the user of Redis lacks a right that scanmux needs',
    hint: 'Operator: give the ACL user the rights that docs/operations.md lists.',
  },
  {
    isIt: /^ERR (DB index is out of range|invalid DB index)|^ERR SELECT is not allowed/i,
    said: 'Redis does not have the database that the URL names',
    hint: 'Operator: correct the number at the end of REDIS_URL.',
  },
  {
    isIt: /self[- ]signed|unable to (get|verify)|certificate|Hostname\/IP does not match|ERR_TLS|CERT_/i,
    said: 'the certificate of Redis is not trusted',
    hint: 'Operator: name its authority with redis.tls.ca_file; redis.tls.server_name when it was made for another name.',
  },
  {
    isIt: /wrong version number|packet length too long|EPROTO|bad record/i,
    said: 'Redis does not speak TLS there',
    hint: 'Operator: write redis:// for a port without TLS, rediss:// for one with it.',
  },
];

/**
 * An error as it may be logged: ioredis puts the whole command beside its message, with the password it logged in with
 * or the request it stored.
 */
export function plainFault(error: unknown): Error {
  const { message, code } = factsOf(error);
  const plain = new Error(message);
  plain.name = 'RedisFault';
  return code === undefined ? plain : Object.assign(plain, { code });
}

interface Facts {
  readonly message: string;
  readonly code?: string;
}

/** A cluster says only that all nodes failed; why, the last of them says. */
function factsOf(error: unknown): Facts {
  if (!(error instanceof Error)) return { message: 'Redis connection failed.' };
  const inner: unknown = 'lastNodeError' in error ? error.lastNodeError : undefined;
  if (inner instanceof Error) return factsOf(inner);
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return factsOf(error.errors[0]);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    message: error.message === '' ? (code ?? error.name) : error.message,
    ...(code === undefined ? {} : { code }),
  };
}

/** Why there is no connection, for people: `config_invalid` when only they can change it. */
export function notConnected(fault: Error | undefined): AppError {
  const message = fault?.message ?? '';
  const code = fault && 'code' in fault && typeof fault.code === 'string' ? fault.code : '';
  const refusal = REFUSALS.find(({ isIt }) => isIt.test(message) || isIt.test(code));
  const cause = fault === undefined ? {} : { cause: fault };
  if (refusal)
    return new AppError('config_invalid', `No connection: ${refusal.said}.`, { hint: refusal.hint, ...cause });
  return new AppError('queue_unavailable', `Redis cannot be reached${message === '' ? '' : `: ${message}`}.`, {
    ...cause,
    hint: 'Try again in a few seconds. Operator: check that Redis runs and that REDIS_URL names it; `scanmux doctor` says more.',
  });
}
