import { AppError } from '../../model/errors.ts';
import { plainFault } from './connection-faults.ts';

/** How the scripts begin the text of an error they raise on purpose. */
export const OWN_ERROR = 'SCANMUX';

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '');
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : '');

/** The server answered, with an error; everything else means that there may have been no answer. */
export const isReply = (error: unknown): boolean => nameOf(error) === 'ReplyError';

/** Answers of a server that is coming up, failing over or held up by something else: a moment later all may be well. */
const PASSING = /^(LOADING|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|READONLY|BUSY|UNBLOCKED|NOREPLICAS)\b/;
export const isPassing = (error: unknown): boolean => isReply(error) && PASSING.test(messageOf(error));

interface Meaning {
  readonly starts: RegExp;
  readonly error: (cause: unknown) => AppError;
}

const MEANINGS: readonly Meaning[] = [
  {
    starts: /^OOM\b/,
    error: (cause) =>
      new AppError('storage_full', 'Redis has no memory left for another scan.', {
        cause,
        hint: 'Operator: give Redis more memory (maxmemory) or let retention remove old scans. Nothing that was accepted is lost.',
      }),
  },
  {
    starts: /^MISCONF\b/,
    error: (cause) =>
      new AppError('storage_full', 'Redis cannot write to its disk.', {
        cause,
        hint: 'Operator: look at the disk and the log of the Redis server. Nothing that was accepted is lost.',
      }),
  },
  {
    starts: /^(NOAUTH|WRONGPASS|NOPERM)\b/,
    error: (cause) =>
      new AppError('queue_unavailable', 'Redis refuses our login or a command.', {
        cause,
        hint: 'Operator: check the user, the password and the rights in Redis; docs/operations.md lists what is needed.',
      }),
  },
  {
    starts: new RegExp(`^${OWN_ERROR} data_too_new scan_`),
    error: (cause) =>
      new AppError('data_too_new', 'The scan was written by a newer scanmux.', {
        cause,
        hint: 'Ask a server of the newer version. Operator: upgrade this one; nothing was touched.',
      }),
  },
  {
    starts: new RegExp(`^${OWN_ERROR} data_too_new\\b`),
    error: (cause) => new AppError('data_too_new', 'The data in Redis was written by a newer scanmux.', { cause }),
  },
];

/** What a caller is told: never the text of the server or the address, which may hold secrets. */
export function queueError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const known = isReply(error) ? MEANINGS.find(({ starts }) => starts.test(messageOf(error))) : undefined;
  const cause = plainFault(error);
  if (known) return known.error(cause);
  // A script that fails is a defect of ours; the reply names the line.
  if (isReply(error) && !isPassing(error)) {
    return new AppError('internal_error', 'A step of the queue failed inside Redis.', { cause });
  }
  return new AppError('queue_unavailable', 'Redis does not answer.', { cause });
}
