import { AppError } from '../model/errors.ts';

/** What no store keeps as it is: NUL ends a text in SQLite, and half a surrogate pair has no UTF-8. */
const NUL = /\0/;
const HALF_PAIR = /\p{Surrogate}/u;

/** Targets have their own check, with their own code and a better reason. */
const CHECKED_ELSEWHERE: ReadonlySet<string> = new Set(['targets']);

/** The refusal, when a text in any argument, at any depth, would not be kept as it was written. */
export function oddText(args: Readonly<Record<string, unknown>>): AppError | undefined {
  for (const [name, value] of Object.entries(args)) {
    const texts = CHECKED_ELSEWHERE.has(name) ? [] : textsIn(value);
    const odd = refusal(`The argument name ${JSON.stringify(name.slice(0, 60))}`, [name]) ?? refusal(name, texts);
    if (odd) return odd;
  }
  return undefined;
}

function refusal(place: string, texts: Iterable<string>): AppError | undefined {
  for (const text of texts) {
    const what = NUL.test(text) ? 'a NUL character' : HALF_PAIR.test(text) ? 'half of a surrogate pair' : undefined;
    if (what !== undefined) return new AppError('invalid_request', `${place} holds ${what}.`);
  }
  return undefined;
}

/** Every text and key in a value. A stack of its own: what a client sends may be nested deeper than calls can be. */
function* textsIn(value: unknown): Generator<string> {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'string') yield next;
    if (typeof next !== 'object' || next === null) continue;
    if (!Array.isArray(next)) yield* Object.keys(next);
    for (const inner of Object.values(next)) open.push(inner);
  }
}
