import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  McpError,
  type GetPromptResult,
} from '@modelcontextprotocol/sdk/types.js';
import { AppError, errorFacts, errorText } from '../model/errors.ts';
import { cleanLine } from '../model/untrusted.ts';
import type { AnyPrompt } from './prompt.ts';
import { PROMPTS } from './prompts.ts';

/** What people can pick in a client. */
export function servePrompts(server: Server): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: PROMPTS.map(({ name, title, description, arguments: args }) => ({
      name,
      title,
      description,
      arguments: [...args],
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => filledPrompt(params.name, params.arguments ?? {}));
}

/** @throws McpError for an unknown prompt or arguments that do not fit */
function filledPrompt(name: string, args: Readonly<Record<string, string>>): GetPromptResult {
  const prompt = PROMPTS.find((known) => known.name === name);
  if (!prompt) {
    const known = PROMPTS.map((each) => each.name).join(', ');
    throw new McpError(ErrorCode.InvalidParams, `Unknown prompt: ${cleanLine(name, 80)}. There are ${known}.`);
  }
  const content = { type: 'text', text: textOf(prompt, args) } as const;
  return { description: prompt.description, messages: [{ role: 'user', content }] };
}

function textOf(prompt: AnyPrompt, args: Readonly<Record<string, string>>): string {
  try {
    return prompt.fill(args);
  } catch (error) {
    if (error instanceof AppError) throw new McpError(ErrorCode.InvalidParams, errorText(errorFacts(error)));
    throw error;
  }
}
