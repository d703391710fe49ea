import { Protocol, type RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestParamsSchema,
  CallToolRequestSchema,
  ErrorCode,
  McpError,
  type CallToolResult,
  type CreateTaskResult,
  type ResourceLink,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { SubmittedScan } from '../model/contract/run.ts';
import { AppError, errorFacts, errorText } from '../model/errors.ts';
import { cleanLine } from '../model/untrusted.ts';
import type { Ask } from '../scans/deps.ts';
import type { OnProgress } from '../scans/wait.ts';
import type { Bridge } from './bridge.ts';
import { TOOLS } from './catalogue.ts';
import { protocolError } from './mcp-failure.ts';
import { followScans } from './mcp-scan-log.ts';
import { taskOf } from './mcp-tasks.ts';
import { runTool } from './run-tool.ts';
import type { AnyTool, ToolContext } from './tool.ts';

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The SDK's own schema copies the arguments and loses one called `__proto__`, which then would not be refused. */
const CallParams = CallToolRequestParamsSchema.extend({
  arguments: z.custom<Readonly<Record<string, unknown>>>(isRecord, 'must be an object').optional(),
});

/** Read in the handler: what the SDK reads itself and finds wrong, it calls an internal error. */
const CallRequest = CallToolRequestSchema.extend({ params: z.unknown() });

type CallHandler = (
  request: z.output<typeof CallRequest>,
  extra: CallExtra,
) => Promise<CallToolResult | CreateTaskResult>;
type CallExtra = RequestHandlerExtra<ServerRequest, ServerNotification>;

type Params = z.output<typeof CallParams>;

/** Called for failures nobody foresaw. */
export type OnDefect = (error: unknown, facts: { tool: string; trace_id: string }) => void;

/** Answers `tools/call`, also as a task, with progress where the client asked for it. */
export function serveCalls(server: Server, bridge: Bridge, onDefect: OnDefect): void {
  const byName = new Map(TOOLS.map((tool) => [tool.name, tool]));
  const follow = followScans(server, bridge);

  const onCall: CallHandler = (request, { signal, sendNotification, authInfo }) => {
    const params = paramsOf(request.params);
    const tool = toolOf(byName, params);
    const traceparent = params._meta?.['traceparent'];
    const ask = bridge.ask(signal, { authInfo, traceparent });
    const body = () => call(tool, ask, params, sendNotification);
    return bridge.around ? bridge.around({ tool: tool.name, traceId: ask.traceId, traceparent }, body) : body();
  };
  const call = async (tool: AnyTool, ask: Ask, params: Params, sendNotification: CallExtra['sendNotification']) => {
    const onProgress = progressTo(params._meta?.progressToken, sendNotification);
    try {
      const made = await answer(tool, argumentsOf(params), async () => ({
        scans: await bridge.open(),
        ask,
        onProgress,
        downloadUrl: bridge.downloadUrl,
      }));
      const scanId = made.structuredContent?.['scan_id'];
      if (!tool.startsScan || typeof scanId !== 'string') return made;
      follow(scanId);
      return params.task ? { task: taskOf(Started.parse(made.structuredContent)) } : made;
    } catch (error) {
      if (!(error instanceof AppError)) onDefect(error, { tool: tool.name, trace_id: ask.traceId });
      // A task that never was has no result to hold the failure.
      if (params.task) throw protocolError(error, () => undefined);
      return failure(error, ask.traceId);
    }
  };
  // Past the server's own override, which would parse each request a second time and each answer, too: the request has
  // been parsed by then, and answers are typed here and checked by every client.
  Protocol.prototype.setRequestHandler.call(server, CallRequest, onCall);
}

function paramsOf(sent: unknown): Params {
  const { data, error } = CallParams.safeParse(sent);
  if (data) return data;
  const wrong = error.issues.slice(0, 3).map(({ path, message }) => `${['params', ...path].join('.')}: ${message}`);
  throw new McpError(ErrorCode.InvalidParams, `Invalid tools/call request: ${cleanLine(wrong.join('; '), 300)}`);
}

function toolOf(byName: ReadonlyMap<string, AnyTool>, { name, task }: Params): AnyTool {
  const tool = byName.get(name);
  if (!tool) throw new McpError(ErrorCode.InvalidParams, `Unknown tool: ${cleanLine(name, 80)}`);
  if (task && !tool.startsScan) {
    throw new McpError(ErrorCode.MethodNotFound, `${name} cannot be called as a task: only tools that scan can.`);
  }
  return tool;
}

/** What a task is made of: a status would take a right to read, and refuse a scan that has been started. */
const Started = z.object(SubmittedScan.pick({ summary: true, scan_id: true, state: true, created_at: true }).shape);

/** A task is waited for by asking for its result. */
const argumentsOf = ({ arguments: args = {}, task }: Params) => (task ? { ...args, wait_seconds: 0 } : args);

function progressTo(
  progressToken: string | number | undefined,
  send: CallExtra['sendNotification'],
): OnProgress | undefined {
  if (progressToken === undefined) return undefined;
  return ({ percent, phase }) => {
    const params = { progressToken, progress: percent, total: 100, message: phase };
    // The client may have gone; the answer itself will tell.
    void send({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

async function answer(
  tool: AnyTool,
  args: Readonly<Record<string, unknown>>,
  context: () => Promise<ToolContext>,
): Promise<CallToolResult> {
  const structuredContent = await runTool(tool, args, context);
  return {
    structuredContent,
    content: [{ type: 'text', text: jsonText(structuredContent) }, ...linkOf(structuredContent)],
  };
}

/** A link for clients that show resources; the URI is in the answer for all others. */
function linkOf(answer: Readonly<Record<string, unknown>>): ResourceLink[] {
  const { resource_uri: uri, scan_id: scanId, media_type: mediaType } = answer;
  if (typeof uri !== 'string') return [];
  const name = typeof scanId === 'string' ? scanId : uri;
  return [
    { type: 'resource_link', uri, name, mimeType: typeof mediaType === 'string' ? mediaType : 'application/json' },
  ];
}

/** Use cases give the same object again while nothing has changed. */
const texts = new WeakMap<object, string>();

function jsonText(content: object): string {
  const known = texts.get(content) ?? JSON.stringify(content);
  texts.set(content, known);
  return known;
}

/** No `structuredContent`: clients would check it against the schema of a success. */
function failure(error: unknown, traceId: string): CallToolResult {
  const facts = errorFacts(error);
  const hint = facts.code === 'internal_error' ? `${facts.hint} Trace id: ${traceId}.` : facts.hint;
  const told = { ...facts, message: sentence(facts.message), hint };
  return { isError: true, content: [{ type: 'text', text: `${errorText(told)}\n${JSON.stringify({ error: told })}` }] };
}

/** The text of a failure is two lines, whatever an error lists; and the hint that follows starts a new sentence. */
function sentence(message: string): string {
  const line = message.trim().replaceAll(/\s*\n\s*/g, '; ');
  return /[.?!]$/.test(line) ? line : `${line}.`;
}
