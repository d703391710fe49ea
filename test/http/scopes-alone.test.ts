import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Scope } from '../../src/model/caller.ts';
import { Status } from '../../src/model/contract/status.ts';
import { authenticatorOf, callerNamed } from './fixed-authenticator.ts';
import { mcpLab } from './mcp-lab.ts';
import { CALLERS, startRest } from './rest-server.ts';

const only = (...scopes: readonly Scope[]) => callerNamed('key:a', { tenant: 'local', scopes: new Set(scopes) });
const KEYS = authenticatorOf({ ...CALLERS, runner: only('scan:run'), reader: only('scan:read'), none: only() });
const as = (key: string) => ({ authorization: `Bearer ${key}` });

const RUN = { name: 'run_untrusted_scan', arguments: { targets: ['127.0.0.1:1'] } };
const Task = z.object({ result: z.object({ task: z.object({ taskId: z.string(), status: z.literal('working') }) }) });
const Refused = z.object({
  error: z.object({ code: z.number(), data: z.object({ error: z.object({ code: z.string(), hint: z.string() }) }) }),
});

describe('a key that may run and not read', () => {
  it('starts a scan as a task, and hears that it did', async () => {
    const lab = await mcpLab({ authenticator: KEYS });
    const params = { ...RUN, task: {} };
    const made = await lab.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }, as('runner'));
    const { taskId } = Task.parse(await made.json()).result.task;
    expect(await lab.app.queue.get('local', taskId)).toMatchObject({ state: 'queued' });
  });

  it('puts a dead letter back into the queue, and hears that it did', async () => {
    const server = await startRest({ deps: { authenticator: KEYS } });
    const { queue } = server.app;
    const made = await server.post('/scans', { targets: ['127.0.0.1:1'] }, as('runner'));
    const { scan_id: scanId } = z.object({ scan_id: z.string() }).parse(await made.json());
    await queue.heartbeat('w');
    const claim = await queue.claim('w', [{ pool: 'baseline', instance: 'local', limit: 9 }]);
    if (!claim) throw new Error('nothing to claim');
    const error = { code: 'scan_aborted', message: 'It broke.', hint: 'Look.', retryable: false };
    await queue.finish(claim, { kind: 'failed', error });
    const again = await server.post(`/dead-letters/${scanId}/retry`, undefined, as('runner'));
    expect(again.status).toBe(200);
    expect(Status.parse(await again.json())).toMatchObject({ scan_id: scanId, state: 'queued' });
  });
});

describe('a task that a key may not see', () => {
  it('is refused with the code and the hint of the refusal', async () => {
    const lab = await mcpLab({ authenticator: KEYS });
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const params = { taskId: 'scan_00000000000000000000' };
      const answer = await lab.post({ jsonrpc: '2.0', id: 1, method, params }, as('none'));
      const { error } = Refused.parse(await answer.json());
      expect([method, error.code, error.data.error.code]).toEqual([method, -32_602, 'forbidden']);
    }
  });

  it('is not cancelled by one that may only read', async () => {
    const lab = await mcpLab({ authenticator: KEYS });
    const made = await lab.post(
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...RUN, task: {} } },
      as('runner'),
    );
    const { taskId } = Task.parse(await made.json()).result.task;
    const answer = await lab.post({ jsonrpc: '2.0', id: 2, method: 'tasks/cancel', params: { taskId } }, as('reader'));
    expect(Refused.parse(await answer.json()).error.data.error.code).toBe('forbidden');
    expect(await lab.app.queue.get('local', taskId)).toMatchObject({ state: 'queued' });
  });
});
