import type { ErrorRequestHandler, Response } from 'express';
import { AppError, errorFacts } from '../model/errors.ts';
import type { Log } from '../platform/log.ts';
import { UnreadableBody } from './json-body.ts';
import { errorHeaders, statusOfCode } from './problem.ts';
import { HttpRefusal, refusalOf } from './refusal.ts';
import { traceIdOf } from './request-trace.ts';

/** Codes of JSON-RPC 2.0, and those the SDK uses for what has none. */
const PARSE_ERROR = -32_700;
const SESSION_UNKNOWN = -32_001;
const OTHER = -32_000;

const rpcCode = (error: unknown, status: number): number => {
  if (error instanceof UnreadableBody) return PARSE_ERROR;
  return status === 404 ? SESSION_UNKNOWN : OTHER;
};

/** Errors of the transport at `/mcp`: the shape the SDK gives its own, with our facts in `data`. */
export const answerMcpError =
  (log: Log): ErrorRequestHandler =>
  (error: unknown, request, response, _next) => {
    const told = refusalOf(error) ?? error;
    const traceId = traceIdOf(request);
    if (!(told instanceof AppError)) log.error({ err: error, trace_id: traceId }, 'defect in an MCP request');
    send(response, told, traceId);
  };

function send(response: Response, error: unknown, traceId: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const facts = errorFacts(error);
  const status = error instanceof HttpRefusal ? error.status : statusOfCode(facts.code);
  errorHeaders(response, error, status, 'Bearer realm="scanmux"');
  const data = { ...facts, trace_id: traceId };
  const answer = {
    jsonrpc: '2.0',
    error: { code: rpcCode(error, status), message: facts.message, data },
    id: null,
  };
  response.status(status).json(answer);
}
