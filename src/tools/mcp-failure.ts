import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js';
import { AppError, errorFacts, errorText } from '../model/errors.ts';

/** What MCP answers for a resource that is not there. */
const RESOURCE_NOT_FOUND = -32_002;

/** A failure of what has no answer of its own for failures (resources, completions, tasks), as a JSON-RPC error. */
export function protocolError(error: unknown, onDefect: (error: unknown) => void): McpError {
  if (error instanceof McpError) return error;
  const isKnown = error instanceof AppError;
  if (!isKnown) onDefect(error);
  const facts = errorFacts(error);
  const code = !isKnown
    ? ErrorCode.InternalError
    : facts.code === 'scan_not_found'
      ? RESOURCE_NOT_FOUND
      : ErrorCode.InvalidParams;
  return new McpError(code, errorText(facts), { error: facts });
}
