import type { TaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/interfaces.js';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  ErrorCode,
  GetTaskPayloadRequestSchema,
  McpError,
  RELATED_TASK_META_KEY,
  type CallToolResult,
  type Task,
} from '@modelcontextprotocol/sdk/types.js';
import { ListScansInput } from '../model/contract/lists.ts';
import type { Status } from '../model/contract/status.ts';
import { AppError } from '../model/errors.ts';
import { cleanLine } from '../model/untrusted.ts';
import type { Bridge } from './bridge.ts';
import { protocolError } from './mcp-failure.ts';

/** How often the state of a task is looked at while somebody waits for its result. */
const POLL_MS = 2_000;
const LISTED = 50;
/** A wait looks at the state anew after this long: a task that is being cancelled has ended before its scan has. */
const WAIT_SECONDS = 5;

type ShownScan = Pick<Status, 'scan_id' | 'state' | 'created_at'> &
  Partial<Pick<Status, 'summary' | 'progress' | 'started_at' | 'finished_at'>>;

const STATUS_OF: Readonly<Record<Status['state'], Task['status']>> = {
  queued: 'working',
  running: 'working',
  retrying: 'working',
  completed: 'completed',
  failed: 'failed',
  timed_out: 'failed',
  cancelled: 'cancelled',
};

/** A scan as an MCP task: its id is the scan id, so any process of the same queue serves it, and it stays as the scan does. */
export function taskOf({ scan_id, state, summary, progress, ...times }: ShownScan): Task {
  return {
    taskId: scan_id,
    // A cancel may take effect later at the scanner; the task ends with the promise.
    status: progress?.phase === 'cancelling' ? 'cancelled' : STATUS_OF[state],
    ttl: null,
    createdAt: times.created_at,
    lastUpdatedAt: times.finished_at ?? progress?.updated_at ?? times.started_at ?? times.created_at,
    pollInterval: POLL_MS,
    ...(summary === undefined ? {} : { statusMessage: summary }),
  };
}

/** The SDK would pass on the message alone, without the code and the hint. */
const told = (error: unknown): unknown => (error instanceof AppError ? protocolError(error, () => undefined) : error);

/** Tasks over the queue's own records: nothing is kept here. Another tenant's task is one that never was. */
export function createTaskStore({ open, ask, closed }: Bridge): TaskStore {
  const statusOf = async (taskId: string): Promise<Status | undefined> => {
    try {
      const scans = await open();
      return await scans.status({ scan_id: taskId }, ask(closed));
    } catch (error) {
      if (error instanceof AppError && error.code === 'scan_not_found') return undefined;
      throw told(error);
    }
  };
  return {
    createTask: () => Promise.reject(new McpError(ErrorCode.InternalError, 'Tasks are made by the tools that scan.')),
    storeTaskResult: () => Promise.reject(new McpError(ErrorCode.InternalError, 'Results are those of the scan.')),
    async getTask(taskId) {
      const status = await statusOf(taskId);
      return status ? taskOf(status) : null;
    },
    async getTaskResult(taskId): Promise<CallToolResult> {
      const status = await statusOf(taskId);
      if (!status) throw new McpError(ErrorCode.InvalidParams, `Task not found: ${taskId.slice(0, 80)}`);
      // The same keys as the tool's own answer after waiting.
      const structuredContent = { ...status, deduplicated: false, resource_uri: `scan://${status.scan_id}` };
      return { structuredContent, content: [{ type: 'text', text: JSON.stringify(structuredContent) }] };
    },
    async updateTaskStatus(taskId, status) {
      if (status !== 'cancelled') return;
      try {
        const scans = await open();
        await scans.cancel({ scan_id: taskId, reason: 'cancelled as an MCP task' }, ask(closed));
      } catch (error) {
        throw told(error);
      }
    },
    async listTasks(cursor) {
      const scans = await open();
      const input = ListScansInput.parse({ limit: LISTED, ...(cursor === undefined ? {} : { cursor }) });
      const { scans: page, next_cursor: nextCursor } = await scans.listScans(input, ask(closed));
      const tasks = page.filter(({ origin }) => origin !== 'imported').map((scan) => taskOf(scan));
      return { tasks, ...(nextCursor === undefined ? {} : { nextCursor }) };
    },
  };
}

/**
 * Answers `tasks/result` when the task has ended. The SDK's own wait would go on while the server goes down, and listen
 * once more for each look; this one answers what is known by then, and ends with its request.
 */
export function serveTaskResults(server: Server, store: TaskStore, { open, ask }: Bridge): void {
  server.setRequestHandler(GetTaskPayloadRequestSchema, async ({ params: { taskId } }, { signal, authInfo }) => {
    const asked = ask(signal, { authInfo });
    const scans = await open();
    for (;;) {
      const task = await store.getTask(taskId);
      if (!task) throw new McpError(ErrorCode.InvalidParams, `Task not found: ${cleanLine(taskId, 80)}`);
      if (signal.aborted) throw new McpError(ErrorCode.InvalidRequest, 'Request cancelled');
      if (task.status !== 'working' || asked.closing?.aborted) break;
      await scans.wait({ scan_id: taskId, wait_seconds: WAIT_SECONDS }, asked);
    }
    const result = await store.getTaskResult(taskId);
    return { ...result, _meta: { ...result._meta, [RELATED_TASK_META_KEY]: { taskId } } };
  });
}
