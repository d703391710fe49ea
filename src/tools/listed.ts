import { jsonSchema, type ObjectSchema, type PropertySchema } from './json-schema.ts';
import type { AnyTool, SeeAlso } from './tool.ts';

export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: ObjectSchema;
  readonly outputSchema: ObjectSchema;
  readonly annotations: AnyTool['annotations'] & { readonly title: string };
  readonly execution?: { readonly taskSupport: 'optional' };
}

/**
 * A tool as `tools/list` shows it. Every client pays for the list in every conversation, so it leaves out what the
 * bridge says when it matters (how long texts may be), what tells an agent nothing (which keys of a part of an answer are
 * always there), and what another tool of the list spells out. Arguments are checked against the whole schemas.
 */
export const listed = ({ name, title, description, input, output, seeAlso, ...tool }: AnyTool): ListedTool => ({
  name,
  title,
  description,
  inputSchema: shortArguments(jsonSchema(input, 'input'), [seeAlso ?? []].flat()),
  outputSchema: shortAnswer(jsonSchema(output, 'output'), [seeAlso ?? []].flat()),
  annotations: { title, ...tool.annotations },
  ...(tool.startsScan ? { execution: { taskSupport: 'optional' } } : {}),
});

/** Smaller parts are not worth a reference. */
const MIN_REPEAT_CHARS = 120;

/** What is spelled out at another tool. */
interface Elsewhere {
  readonly tool: string;
  /** Every part of its answer, however deep, as text. */
  readonly parts: ReadonlySet<string>;
}

/**
 * An answer with a reference instead of each part that the list of tools spells out at another tool. In words: `$ref`
 * cannot point into another schema, and `$defs` within one cost more tokens than they save.
 */
function shortAnswer(schema: ObjectSchema, seeAlso: readonly SeeAlso[]): ObjectSchema {
  const there = seeAlso.map(({ tool, output }) => ({ tool, parts: new Set(partsOf(jsonSchema(output, 'output'))) }));
  const rest = seeAlso.find((other) => other.rest);
  const left = rest ? optionalParts(schema, jsonSchema(rest.output, 'output')) : undefined;
  const properties = Object.entries(schema.properties)
    .filter(([key]) => !left?.has(key))
    .map(([key, part]) => [key, shortPart(part, there)]);
  const note = rest ? { description: `Also the other keys of ${rest.tool}, once they are known.` } : {};
  return { ...schema, ...note, properties: Object.fromEntries(properties) };
}

/** Keys of an answer that may be absent, are equal in another answer, and take more room than a plain value. */
function optionalParts(schema: ObjectSchema, other: ObjectSchema): ReadonlySet<string> {
  const required = new Set<unknown>(Array.isArray(schema['required']) ? schema['required'] : []);
  const isPlain = ({ type, enum: values }: PropertySchema): boolean =>
    type !== 'object' && type !== 'array' && values === undefined;
  const left = Object.entries(schema.properties).filter(
    ([key, part]) =>
      !required.has(key) && !isPlain(part) && JSON.stringify(part) === JSON.stringify(other.properties[key]),
  );
  return new Set(left.map(([key]) => key));
}

function shortPart(part: PropertySchema, there: readonly Elsewhere[]): PropertySchema {
  const text = JSON.stringify(part);
  const known = there.find(({ parts }) => parts.has(text));
  const { type, description } = part;
  if (known && part['enum'] !== undefined) return description === undefined ? { type } : { type, description };
  if (known && (type === 'object' || type === 'array') && text.length >= MIN_REPEAT_CHARS)
    return { type, description: `As in ${known.tool}.` };
  const { required: _, properties, items, ...kept } = part;
  const inner = Object.entries(properties ?? {}).map(([key, value]) => [key, shortPart(value, there)]);
  return {
    ...kept,
    ...(properties ? { properties: Object.fromEntries(inner) } : {}),
    ...(items ? { items: shortPart(items, there) } : {}),
  };
}

/**
 * The same for arguments: what they are stays, so that every client can fill them in; what they mean, and bounds that the
 * bridge tells when they are not met, stand at the other tool.
 */
function shortArguments(schema: ObjectSchema, seeAlso: readonly SeeAlso[]): ObjectSchema {
  const there = seeAlso.flatMap(({ tool, input }) =>
    input ? [{ tool, known: jsonSchema(input, 'input').properties }] : [],
  );
  const replace = (key: string, part: PropertySchema): PropertySchema => {
    const other = there.find(({ known }) => JSON.stringify(known[key]) === JSON.stringify(part));
    if (!other) return withoutLengths(part);
    const { type, items, enum: values, default: otherwise } = withoutLengths(part);
    const kept = { type, items, enum: values, default: otherwise, description: `As in ${other.tool}.` };
    return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  };
  const properties = Object.entries(schema.properties).map(([key, part]) => [key, replace(key, part)]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** How long a text may be at most, and that it may not be empty. A longer minimum is worth knowing beforehand. */
function withoutLengths(whole: PropertySchema): PropertySchema {
  const { maxLength: _, minLength, items, ...part } = whole;
  return {
    ...part,
    ...(minLength === undefined || minLength === 1 ? {} : { minLength }),
    ...(items ? { items: withoutLengths(items) } : {}),
  };
}

/** Every part of a schema, however deep, as text. */
function partsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return [JSON.stringify(schema), ...Object.values(schema).flatMap(partsOf)];
}
