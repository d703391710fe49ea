import { parentIdIn, type Tracing } from '../platform/tracing.ts';
import type { AroundCall } from '../tools/bridge.ts';

/** Every tool call as a span. A client that sends `_meta.traceparent` finds it in its own trace. */
export function aroundCalls(tracing: () => Promise<Tracing>): AroundCall {
  return async ({ tool, traceId, traceparent }, body) => {
    // What keeps the application from opening is the call's to tell.
    const opened = await tracing().catch(() => undefined);
    if (!opened?.isOn) return body();
    const parentId = parentIdIn(traceparent, traceId);
    const attributes = { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': tool };
    return opened.within(
      { name: `tools/call ${tool}`, kind: 'server', traceId, parentId, attributes },
      async (span) => {
        const answer = await body();
        if ('isError' in answer && answer.isError === true) span.fail('tool_error');
        return answer;
      },
    );
  };
}
