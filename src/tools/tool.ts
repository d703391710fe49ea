import type { z } from 'zod';
import type { ExportInput } from '../model/contract/export.ts';
import type { Ask } from '../scans/deps.ts';
import type { UseCases } from '../scans/use-cases.ts';
import type { OnProgress } from '../scans/wait.ts';

export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

export interface ToolContext {
  readonly scans: UseCases;
  readonly ask: Ask;
  /** Set when the client asked for progress of this call. */
  readonly onProgress: OnProgress | undefined;
  /** Set where the caller does not share our disk. */
  readonly downloadUrl?: DownloadUrl | undefined;
}

/** Where a caller can fetch an export that it may have. */
export type DownloadUrl = (input: ExportInput, ask: Ask) => Promise<string>;

/** A tool whose listed answer (and arguments, where they are given) spells out what others hold as well. */
export interface SeeAlso {
  readonly tool: string;
  readonly output: z.ZodType;
  readonly input?: z.ZodType;
  /** The answer also has what that tool's has: objects, lists and enumerations it may have are not listed again. */
  readonly rest?: boolean;
}

/** A tool, independent of any SDK: what it is called, takes and gives, and the one use case it passes to. */
export interface Tool<Input extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** Of several the first that has a part is named. */
  readonly seeAlso?: SeeAlso | readonly SeeAlso[];
  readonly annotations: ToolAnnotations;
  /** Its answer names a scan (`scan_id`) that goes on: it can be called as an MCP task as well. */
  readonly startsScan?: true;
  readonly run: (input: z.output<Input>, context: ToolContext) => Promise<z.output<Output>>;
}

type Answer = Readonly<Record<string, unknown>>;

/** A call whose arguments have been read: it can be run, or they do not fit. */
export type PreparedCall =
  | { readonly run: (context: ToolContext) => Promise<Answer>; readonly error?: undefined }
  | { readonly error: z.ZodError };

/** A tool whose types are checked where it is defined and forgotten where all tools are handled alike. */
export interface AnyTool extends Omit<Tool, 'run'> {
  readonly prepare: (args: unknown) => PreparedCall;
}

export function defineTool<Input extends z.ZodType, Output extends z.ZodType<Answer>>(
  tool: Tool<Input, Output>,
): AnyTool {
  const { run, ...facts } = tool;
  return {
    ...facts,
    prepare(args) {
      const { data, error } = tool.input.safeParse(args, { reportInput: true });
      return error ? { error } : { run: (context) => run(data, context) };
    },
  };
}

/** Reads records; changes nothing and talks to no target. */
export const READ_ONLY: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};
