import { AppError } from '../model/errors.ts';
import type { Log } from '../platform/log.ts';
import { createTextMask } from '../platform/secret-mask.ts';
import type { ReportEvent } from '../model/report.ts';
import { maskedEvents } from './masked-events.ts';

/**
 * Keeps the secrets of one attempt out of everything that is kept of it besides the raw report, which is masked on its
 * way to the disk. Until `protect` is called it lets everything through: no engine has been told a secret then.
 */
export interface Shield {
  protect(secrets: readonly string[]): void;
  text(text: string): string;
  /** A thrown value without secrets: the same code, its causes masked alike. */
  error(error: unknown): unknown;
  /** A log that masks all it is given. */
  log(log: Log): Log;
  /** A report is masked as it is spelled; a spelling nobody thought of shows when it has been read. */
  events(events: AsyncIterable<ReportEvent>): AsyncIterable<ReportEvent>;
}

/** Causes of an error, and levels of a logged object, that are followed. */
const DEPTH = 8;

type Mask = (text: string) => string;

export function createShield(): Shield {
  let mask: Mask | undefined;
  return {
    protect: (secrets) => {
      mask = createTextMask(secrets);
    },
    text: (text) => mask?.(text) ?? text,
    error: (error) => (mask ? maskedError(error, mask, DEPTH) : error),
    log: (log) => shielded(log, () => mask),
    events: (events) => (mask ? maskedEvents(events, mask) : events),
  };
}

function maskedError(error: unknown, mask: Mask, depth: number): unknown {
  if (!(error instanceof Error)) return masked(error, mask, depth);
  const cause = error.cause === undefined || depth === 0 ? {} : { cause: maskedError(error.cause, mask, depth - 1) };
  if (error instanceof AppError) {
    const { code, message, hint, targets } = error;
    return new AppError(code, mask(message), { hint: mask(hint), ...cause, ...(targets ? { targets } : {}) });
  }
  const copy = new Error(mask(error.message), cause);
  copy.name = mask(error.name);
  copy.stack = mask(error.stack ?? '');
  return copy;
}

/** The same value when nothing in it is secret. */
function masked(value: unknown, mask: Mask, depth: number): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return maskedError(value, mask, depth);
  if (depth === 0) return '[…]';
  if (Array.isArray(value)) {
    const items = value.map((item) => masked(item, mask, depth - 1));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  const entries = Object.entries(value).map(([key, item]) => [key, masked(item, mask, depth - 1)] as const);
  const isSame = Object.entries(value).every(([, item], index) => entries[index]?.[1] === item);
  return isSame ? value : Object.fromEntries(entries);
}

function shielded(log: Log, maskNow: () => Mask | undefined): Log {
  const facts = (given: object): object => {
    const mask = maskNow();
    if (!mask) return given;
    const safe = masked(given, mask, DEPTH);
    return typeof safe === 'object' && safe !== null ? safe : {};
  };
  const line = (text: string): string => maskNow()?.(text) ?? text;
  return {
    debug: (given, message) => log.debug(facts(given), line(message)),
    info: (given, message) => log.info(facts(given), line(message)),
    warn: (given, message) => log.warn(facts(given), line(message)),
    error: (given, message) => log.error(facts(given), line(message)),
    child: (given) => shielded(log.child(given), maskNow),
  };
}
