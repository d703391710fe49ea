import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { wire, type Wire } from './wire.ts';
import { noCoverage } from '../../src/model/coverage.ts';
import { noSeverities } from '../../src/model/finding.ts';
import type { ScanResult } from '../../src/model/scan.ts';

const RUN = { targets: ['127.0.0.1'], scanner_pool: 'baseline', wait_seconds: 30 };
const SLOTS = [{ pool: 'baseline', instance: 'local', limit: 9 }];
const RESULT: ScanResult = {
  verdict: 'not_tested',
  coverage: noCoverage(1),
  findings: 0,
  by_severity: noSeverities(),
  artefacts: [],
};

const Created = z.object({ task: z.object({ taskId: z.string(), status: z.string(), ttl: z.null() }) });

/** `tools/call` as a task. */
const startTask = async ({ client }: Wire, name = 'run_untrusted_scan', args: Record<string, unknown> = RUN) => {
  const params = { name, arguments: args, task: {} };
  return Created.parse(await client.request({ method: 'tools/call', params }, Created)).task;
};

async function claimed({ app: { queue } }: Wire) {
  const claim = await queue.claim('worker', SLOTS);
  if (!claim) throw new Error('nothing to claim');
  return claim;
}

describe('a scan as an MCP task', () => {
  it('answers at once with the scan id, and its result is the status of the scan when it has ended', async () => {
    const mcp = await wire();
    const { taskId, status } = await startTask(mcp);
    expect([taskId, status]).toEqual([expect.stringMatching(/^scan_/), 'working']);
    const { tasks } = mcp.client.experimental;
    expect(await tasks.getTask(taskId)).toMatchObject({ taskId, status: 'working', pollInterval: expect.any(Number) });
    const result = tasks.getTaskResult(taskId, CallToolResultSchema);
    const claim = await claimed(mcp);
    await mcp.app.queue.finish(claim, { kind: 'completed', result: RESULT });
    expect(await result).toMatchObject({
      structuredContent: { scan_id: taskId, state: 'completed', verdict: 'not_tested' },
    });
    expect(await tasks.getTask(taskId)).toMatchObject({ status: 'completed' });
    expect((await tasks.listTasks()).tasks.map((task) => [task.taskId, task.status])).toEqual([[taskId, 'completed']]);
  });

  it('is cancelled as a task: waiting ones at once, running ones as soon as their engine has stopped', async () => {
    const mcp = await wire();
    const { tasks } = mcp.client.experimental;
    const waiting = await startTask(mcp);
    expect(await tasks.cancelTask(waiting.taskId)).toMatchObject({ status: 'cancelled' });
    const running = await startTask(mcp);
    const claim = await claimed(mcp);
    expect(await tasks.cancelTask(running.taskId)).toMatchObject({ status: 'cancelled' });
    expect(await mcp.app.queue.renew(claim)).toEqual({ owned: true, cancel: true });
    await expect(tasks.cancelTask(running.taskId)).rejects.toThrow(/terminal status/);
  });

  it('is refused where it could not be started, with the code of the refusal and without a task', async () => {
    const mcp = await wire();
    const denied = startTask(mcp, 'run_untrusted_scan', { ...RUN, targets: ['10.1.2.3'] });
    await expect(denied).rejects.toMatchObject({ data: { error: { code: 'target_denied' } } });
    await expect(startTask(mcp, 'list_scanners', {})).rejects.toMatchObject({ code: -32_601 });
    expect((await mcp.client.experimental.tasks.listTasks()).tasks).toEqual([]);
  });

  it('that nobody made is not found', async () => {
    const mcp = await wire();
    for (const id of ['scan_00000000000000000000', 'nonsense', '__proto__']) {
      await expect(mcp.client.experimental.tasks.getTask(id)).rejects.toThrow(/not found/);
    }
  });
});
