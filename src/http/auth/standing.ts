import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AppError } from '../../model/errors.ts';
import type { Log } from '../../platform/log.ts';

/** With the second a login is remembered for, what was opened with a revoked key ends within five. */
const RECHECK_MS = 3_000;
/** Asked about in one turn of the event loop: many credentials must not hold up what is sent meanwhile. */
const PER_TURN = 100;

/** Answers that are open, by what they were asked for with. */
export interface Standing {
  /** `response` is cut off once a login with `authorization` is refused, until it is taken out of what this returns. */
  enter(authorization: string, response: ServerResponse): Pick<Set<ServerResponse>, 'delete'>;
}

/** For callers who show no credential that could be taken back. */
export const ALWAYS_STANDS: Standing = { enter: () => new Set() };

interface Options {
  /** Rejects with `unauthenticated` for what holds no more. Counts and writes down nothing. */
  readonly login: (authorization: string) => Promise<unknown>;
  readonly log: Log;
  readonly recheckMs?: number | undefined;
}

interface Credential {
  readonly open: Set<ServerResponse>;
  isAsked: boolean;
}

/** Asks again every few seconds, once for each credential however much is open by it; not at all when nothing is. */
export function createStanding({ login, log, recheckMs = RECHECK_MS }: Options): Standing {
  const credentials = new Map<string, Credential>();
  let timer: NodeJS.Timeout | undefined;

  const ask = async (authorization: string, credential: Credential): Promise<void> => {
    credential.isAsked = true;
    try {
      await login(authorization);
    } catch (error) {
      if (!(error instanceof AppError)) log.error({ err: error }, 'defect in a login');
      // Whoever else could not answer, the queue or the issuer, has not said no.
      else if (error.code === 'unauthenticated') cutOff(credential.open, error, log);
    } finally {
      credential.isAsked = false;
    }
  };
  const look = async (): Promise<void> => {
    let seen = 0;
    for (const [authorization, credential] of credentials) {
      if (credential.open.size === 0) credentials.delete(authorization);
      // One that waits for an issuer must not keep the others from being asked about.
      else if (!credential.isAsked) void ask(authorization, credential);
      seen += 1;
      if (seen % PER_TURN === 0) await nextTurn();
    }
    timer = credentials.size === 0 ? undefined : later();
  };
  const later = (): NodeJS.Timeout => setTimeout(() => void look(), recheckMs).unref();

  return {
    enter(authorization, response) {
      const credential = credentials.get(authorization) ?? { open: new Set(), isAsked: false };
      credentials.set(authorization, credential);
      credential.open.add(response);
      timer ??= later();
      return credential.open;
    },
  };
}

/** Not ended in order: an answer that is not whole must not look as if it were, and what waits in it is not for them. */
function cutOff(open: ReadonlySet<ServerResponse>, { message }: AppError, log: Log): void {
  if (open.size > 0) log.info({ why: message, answers: open.size }, 'cut off what a caller had open');
  for (const response of open) response.destroy();
}
