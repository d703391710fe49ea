import { z } from 'zod';
import type { AnyTool } from './tool.ts';

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
    override: ({ jsonSchema: part }) => trim(part),
  });
  return Shape.parse(made);
}

/** What tells nobody anything costs tokens: bounds that say "a safe integer", a pattern that says what the format says. */
function trim(part: z.core.JSONSchema.BaseSchema): void {
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
export const listed = ({ name, title, description, input, output, annotations }: AnyTool): ListedTool => ({
  name,
  title,
  description,
  inputSchema: jsonSchema(input, 'input'),
  outputSchema: jsonSchema(output, 'output'),
  annotations: { title, ...annotations },
});
