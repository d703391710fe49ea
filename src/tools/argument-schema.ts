import { z } from 'zod';
import { jsonSchema } from './json-schema.ts';
import type { AnyTool } from './tool.ts';

const Bounds = z.object({
  type: z.string().optional(),
  enum: z.array(z.string()).optional(),
  pattern: z.string().optional(),
  examples: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
});

/** What the JSON Schema of a tool says about one argument. */
const Argument = Bounds.extend({ items: Bounds.optional() });
export type Argument = z.infer<typeof Argument>;

const known = new Map<string, ReadonlyMap<string, Argument>>();

/** The arguments of a tool by name; a map, as a plain object would also know a "constructor". */
export function argumentsOf({ name, input }: AnyTool): ReadonlyMap<string, Argument> {
  const before = known.get(name);
  if (before) return before;
  const { properties } = jsonSchema(input, 'input');
  const made = new Map(Object.entries(properties).map(([key, part]) => [key, Argument.parse(part)]));
  known.set(name, made);
  return made;
}
