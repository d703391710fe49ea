import { z } from 'zod';

export interface ObjectSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, PropertySchema>>;
  readonly [key: string]: unknown;
}

export interface PropertySchema {
  readonly type?: unknown;
  readonly properties?: Readonly<Record<string, PropertySchema>> | undefined;
  readonly items?: PropertySchema | undefined;
  readonly [key: string]: unknown;
}

const Part: z.ZodType<PropertySchema> = z.looseObject({
  get properties() {
    return z.record(z.string(), Part).optional();
  },
  get items() {
    return Part.optional();
  },
});
const Shape = z.looseObject({ type: z.literal('object'), properties: z.record(z.string(), Part) });

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
