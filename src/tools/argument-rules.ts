import type { Argument } from './argument-schema.ts';

const TYPES: ReadonlyMap<string | undefined, string> = new Map([
  ['integer', 'a whole number'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['string', 'text'],
]);

/** What an argument must be, by its type: "a whole number, 0 to 50", "text like 80,443". */
export function typeRule(argument: Argument): string {
  const { type, enum: values, examples = [], items } = argument;
  if (values) return `one of ${values.join(', ')}`;
  if (type === 'string' && examples.length > 0) return like(examples);
  const kind = TYPES.get(type) ?? 'of another type';
  const of = items?.enum ? ` of ${items.enum.join(', ')}` : '';
  const bounds = boundsOf(argument);
  return bounds === undefined ? `${kind}${of}` : `${kind}${of}, ${bounds}`;
}

/** What an argument of the right type must be: "0 to 50", "at most 200 characters". */
export function rule(argument: Argument): string {
  const { examples = [] } = argument;
  const bounds = boundsOf(argument);
  if (examples.length > 0) return bounds === undefined ? like(examples) : `${like(examples)}, ${bounds}`;
  return bounds ?? typeRule(argument);
}

const like = (examples: readonly string[]): string => `text like ${examples.join(' or ')}`;

function boundsOf(argument: Argument): string | undefined {
  const { minimum, maximum, minLength, maxLength, minItems, maxItems } = argument;
  return (
    span(minimum, maximum, '') ?? span(minLength, maxLength, ' characters') ?? span(minItems, maxItems, ' entries')
  );
}

function span(from: number | undefined, to: number | undefined, unit: string): string | undefined {
  const text = (number: number): string => number.toLocaleString('en');
  if (from === undefined) return to === undefined ? undefined : `at most ${text(to)}${unit}`;
  return to === undefined ? `at least ${text(from)}${unit}` : `${text(from)} to ${text(to)}${unit}`;
}
