import { z } from 'zod';
import { AppError } from '../model/errors.ts';

/** A prompt a person can pick in a client: what it asks for, and what it then tells the model to do. */
interface Prompt<Input extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Arguments of prompts are always strings. */
  readonly input: Input;
  readonly text: (args: z.output<Input>) => string;
}

/** A prompt whose types are checked where it is defined and forgotten where all prompts are handled alike. */
export interface AnyPrompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: readonly { readonly name: string; readonly description: string; readonly required: boolean }[];
  /** @throws AppError invalid_request naming the wrong argument */
  readonly fill: (args: Readonly<Record<string, string>>) => string;
}

export function definePrompt<Input extends z.ZodObject>(prompt: Prompt<Input>): AnyPrompt {
  const { name, title, description, input, text } = prompt;
  return {
    name,
    title,
    description,
    arguments: Object.entries(input.shape).map(([key, schema]) => ({
      name: key,
      description: describedBy(schema),
      required: !z.safeParse(schema, undefined).success,
    })),
    fill(args) {
      const { data, error } = input.safeParse(args);
      if (!error) return text(data);
      const [issue] = error.issues;
      const at = issue?.path.map(String).join('.') ?? '';
      const wrong = Object.hasOwn(args, at) ? issue?.message : 'is missing';
      throw new AppError('invalid_request', `${name}: ${[at, wrong].filter(Boolean).join(' ')}.`);
    },
  };
}

const describedBy = (schema: z.core.$ZodType): string => z.globalRegistry.get(schema)?.description ?? '';
