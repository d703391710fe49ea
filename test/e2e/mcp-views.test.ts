import { CallToolResultSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connect, createInstallation } from './stdio-client.ts';

const Created = z.object({ task: z.object({ taskId: z.string(), status: z.string() }) });

describe('two servers of one installation', () => {
  it('serve the same task, and tell of the same scan', async () => {
    const installation = createInstallation();
    const [one, other] = [await connect(installation), await connect(installation)];
    const call = { targets: ['127.0.0.1'], scanner_pool: 'scripted', templates: ['duration:1500'] };
    const params = { name: 'run_untrusted_scan', arguments: call, task: {} };
    const { task } = Created.parse(await one.client.request({ method: 'tools/call', params }, Created));
    expect(task.status).toBe('working');
    let updates = 0;
    other.client.setNotificationHandler(ResourceUpdatedNotificationSchema, () => void (updates += 1));
    await other.client.subscribeResource({ uri: `scan://${task.taskId}` });
    const result = await other.client.experimental.tasks.getTaskResult(task.taskId, CallToolResultSchema);
    expect(result).toMatchObject({ structuredContent: { scan_id: task.taskId, state: 'completed' } });
    await expect.poll(() => updates).toBeGreaterThanOrEqual(1);
    const seen = await one.client.experimental.tasks.getTask(task.taskId);
    expect(seen).toMatchObject({ taskId: task.taskId, status: 'completed', ttl: null });
  });
});
