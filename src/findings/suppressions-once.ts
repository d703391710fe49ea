import { z } from 'zod';
import { AppError } from '../model/errors.ts';
import type { Suppressions } from './findings.ts';

/** What a thread is told about lists of judgements besides its questions. */
export type ListMessage =
  | { readonly name: 'keep'; readonly list: number; readonly suppressions: Suppressions }
  | { readonly name: 'forget'; readonly list: number };

/** Stands in a question for a list the thread keeps. */
const Kept = z.object({ list: z.int() });

const LISTS = 4;

const isFull = (value: unknown): value is Suppressions =>
  typeof value === 'object' && value !== null && 'entries' in value && Array.isArray(value.entries);

type Asked = Readonly<Record<'suppressions', unknown>>;
const hasSuppressions = <I extends object>(input: I): input is I & Asked => 'suppressions' in input;
const hasRequest = <I extends object>(input: I): input is I & { readonly request: object } =>
  'request' in input && typeof input.request === 'object' && input.request !== null;

/** Replaces the judgements of a job's input, which stand at its top or in its request. */
function withLists<I extends object>(input: I, swap: (value: unknown) => unknown): I {
  if (hasSuppressions(input)) return { ...input, suppressions: swap(input.suppressions) };
  if (hasRequest(input)) return { ...input, request: withLists(input.request, swap) };
  return input;
}

/**
 * The asking side: every answer about results depends on all judgements of a tenant, which may be tens of thousands, and
 * mostly on the same as the one before. So a thread gets each list once. The store of judgements gives the same object
 * until something changed or expired; the last few lists are kept.
 * @param post To the thread; before the question that is made light.
 */
export function createListSender(post: (message: ListMessage) => void): <I extends object>(input: I) => I {
  const sent = new Map<Suppressions, number>();
  let last = 0;
  const send = (suppressions: Suppressions): number => {
    const known = sent.get(suppressions);
    const list = known ?? (last += 1);
    if (known === undefined) post({ name: 'keep', list, suppressions });
    // A map keeps the order of insertion: the first is the one used longest ago.
    sent.delete(suppressions);
    sent.set(suppressions, list);
    const [oldest] = sent;
    if (sent.size > LISTS && oldest) {
      sent.delete(oldest[0]);
      post({ name: 'forget', list: oldest[1] });
    }
    return list;
  };
  const light = (value: unknown): unknown =>
    isFull(value) && value.entries.length > 0 ? { list: send(value) } : value;
  return (input) => withLists(input, light);
}

/** The answering side: gives questions back their lists. */
export interface ListKeeper {
  hear(message: ListMessage): void;
  /** @throws AppError internal_error for a list it was not given */
  restore<I extends object>(input: I): I;
}

export function createListKeeper(): ListKeeper {
  const kept = new Map<number, Suppressions>();
  const whole = (value: unknown): unknown => {
    if (isFull(value)) return value;
    const suppressions = kept.get(Kept.parse(value).list);
    if (!suppressions) throw new AppError('internal_error', 'A question names judgements that were not sent.');
    return suppressions;
  };
  return {
    hear(message) {
      if (message.name === 'keep') kept.set(message.list, message.suppressions);
      else kept.delete(message.list);
    },
    restore: (input) => withLists(input, whole),
  };
}
