import { AppError } from '../model/errors.ts';
import { argumentError } from './arguments.ts';
import { lenient } from './lenient.ts';
import { oddText } from './odd-text.ts';
import type { AnyTool, ToolContext } from './tool.ts';

/**
 * One call of a tool, from whatever face it came: arguments are read leniently and checked, and what would change
 * something is written down when they are no good.
 * @param context Asked for once the arguments have been read.
 * @throws AppError invalid_request, and what the use case throws
 */
export async function runTool(
  tool: AnyTool,
  args: Readonly<Record<string, unknown>>,
  context: () => Promise<ToolContext>,
): Promise<Readonly<Record<string, unknown>>> {
  const call = prepared(tool, args);
  if (call instanceof AppError) {
    // Like every refusal of what would change something: written down before the caller hears of it.
    if (!tool.annotations.readOnlyHint) await noteRefusal(tool, call, await context());
    throw call;
  }
  return call.run(await context());
}

/** The call, or why its arguments are no good. */
function prepared(tool: AnyTool, args: Readonly<Record<string, unknown>>) {
  const meant = lenient(tool, args);
  const odd = oddText(meant);
  if (odd) return odd;
  const call = tool.prepare(meant);
  return call.error ? argumentError(tool, call.error) : call;
}

const noteRefusal = async ({ name }: AnyTool, { code }: AppError, { scans, ask }: ToolContext): Promise<void> =>
  scans.noteRefusal(name, code, ask);
