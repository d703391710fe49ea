import { z } from 'zod';
import type { AnyTool, SeeAlso } from './tool.ts';

export interface ObjectSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, PropertySchema>>;
  readonly [key: string]: unknown;
}

export interface PropertySchema {
  readonly type?: unknown;
  readonly [key: string]: unknown;
}

const Shape = z.looseObject({ type: z.literal('object'), properties: z.record(z.string(), z.looseObject({})) });

/** The JSON Schema of a tool's arguments or answer (draft 7: what every client can read). */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): ObjectSchema {
  const { $schema: _, ...made } = z.toJSONSchema(schema, {
    target: 'draft-7',
    io,
    override: ({ jsonSchema: part }) => trim(part, io),
  });
  return Shape.parse(made);
}

/**
 * What tells nobody anything costs tokens: bounds that say "a safe integer", a pattern that says what the format says,
 * and in answers that a count is not negative or that there are no keys but those listed.
 */
function trim(part: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  if (io === 'output' && part.minimum === 0) delete part.minimum;
  if (io === 'output' && part.additionalProperties === false) delete part.additionalProperties;
  if (part.maximum === Number.MAX_SAFE_INTEGER) delete part.maximum;
  if (part.minimum === Number.MIN_SAFE_INTEGER) delete part.minimum;
  if (part.format === 'date-time') delete part.pattern;
}

export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: ObjectSchema;
  readonly outputSchema: ObjectSchema;
  readonly annotations: AnyTool['annotations'] & { readonly title: string };
}

/** A tool as `tools/list` shows it. */
export const listed = ({ name, title, description, input, output, seeAlso, annotations }: AnyTool): ListedTool => ({
  name,
  title,
  description,
  inputSchema: withoutRepeatedArguments(jsonSchema(input, 'input'), [seeAlso ?? []].flat()),
  outputSchema: withoutRepeats(jsonSchema(output, 'output'), [seeAlso ?? []].flat()),
  annotations: { title, ...annotations },
});

/** Smaller parts are not worth a reference. */
const MIN_REPEAT_CHARS = 120;

/**
 * The schema with a reference instead of each object or list that the list of tools spells out at another tool. In
 * words: `$ref` cannot point into another schema, and `$defs` within one cost more tokens than they save.
 */
function withoutRepeats(schema: ObjectSchema, seeAlso: readonly SeeAlso[]): ObjectSchema {
  const there = seeAlso.map(({ tool, output }) => ({ tool, parts: new Set(partsOf(jsonSchema(output, 'output'))) }));
  const replace = (part: PropertySchema): PropertySchema => {
    const text = JSON.stringify(part);
    const { type } = part;
    if ((type !== 'object' && type !== 'array') || text.length < MIN_REPEAT_CHARS) return part;
    const known = there.find(({ parts }) => parts.has(text));
    return known ? { type, description: `As in ${known.tool}.` } : part;
  };
  const properties = Object.entries(schema.properties).map(([key, part]) => [key, replace(part)]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/**
 * The same for arguments: what they are stays, so that every client can fill them in; what they mean, and bounds that the
 * bridge tells when they are not met, stand at the other tool.
 */
function withoutRepeatedArguments(schema: ObjectSchema, seeAlso: readonly SeeAlso[]): ObjectSchema {
  const there = seeAlso.flatMap(({ tool, input }) =>
    input ? [{ tool, known: jsonSchema(input, 'input').properties }] : [],
  );
  const replace = (key: string, part: PropertySchema): PropertySchema => {
    const other = there.find(({ known }) => JSON.stringify(known[key]) === JSON.stringify(part));
    if (!other) return part;
    const { type, items, enum: values, default: otherwise } = part;
    const kept = { type, items, enum: values, default: otherwise, description: `As in ${other.tool}.` };
    return Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined));
  };
  const properties = Object.entries(schema.properties).map(([key, part]) => [key, replace(key, part)]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** Every part of a schema, however deep, as text. */
function partsOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  return [JSON.stringify(schema), ...Object.values(schema).flatMap(partsOf)];
}
