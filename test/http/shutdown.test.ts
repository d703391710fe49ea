import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPlace, runCommand } from '../cli/command-process.ts';
import { served, type Served } from './served.ts';

const Waited = z.object({
  result: z.object({ structuredContent: z.object({ state: z.string(), wait_timed_out: z.boolean() }) }),
});

const listen = ({ url }: Served, sessionId: string) =>
  fetch(`${url}/mcp`, { headers: { accept: 'text/event-stream', 'mcp-session-id': sessionId } });

/** A connection on which a request has begun and never ends. */
async function unfinished({ port }: Served) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.write(
    `POST /mcp HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
  );
  const closed = once(socket, 'close');
  return { socket, closed };
}

describe('scanmux serve', () => {
  it('ends at SIGTERM: streams are told to come back, waits answer, no connection holds it up', async () => {
    const server = await served(['--no-worker']);
    const sessionId = await server.begin();
    const stream = await listen(server, sessionId);
    const scan = await server.call('run_untrusted_scan', { targets: ['127.0.0.1:1'] });
    const args = { scan_id: scan['scan_id'], wait_seconds: 50 };
    const waiting = server.post({
      jsonrpc: '2.0',
      id: 9,
      method: 'tools/call',
      params: { name: 'wait_for_scan', arguments: args },
    });
    // Its answer shows that the wait, sent before it on another connection, has been read as well.
    await server.call('get_queue_status');
    const idle = connect(server.port, '127.0.0.1');
    await once(idle, 'connect');
    server.child.kill('SIGTERM');
    expect(await stream.text()).toMatch(/retry: \d+\n\n$/);
    const waited = Waited.parse(await (await waiting).json()).result.structuredContent;
    expect(waited).toEqual({ state: 'queued', wait_timed_out: true });
    const { code, signal, stdout, stderr } = await server.ended;
    expect([code, signal]).toEqual([0, null]);
    expect(stderr).not.toContain('cut off');
    expect(stdout.trim().split('\n')).toEqual([
      expect.stringMatching(/^scanmux \S+ listens on http:\/\/127\.0\.0\.1:/),
    ]);
    await expect(fetch(server.url)).rejects.toThrow();
  });

  it('cuts what is in flight when the grace time is over', async () => {
    const server = await served(['--no-worker'], { SCANMUX_HTTP_SHUTDOWN_GRACE_SECONDS: '0.3' });
    const { closed } = await unfinished(server);
    await server.call('get_queue_status');
    server.child.kill('SIGTERM');
    await closed;
    const { code, stderr } = await server.ended;
    expect(code).toBe(0);
    expect(stderr).toContain('the grace time is over');
  });

  it('ends at once at the second signal', async () => {
    const server = await served(['--no-worker'], { SCANMUX_HTTP_SHUTDOWN_GRACE_SECONDS: '3600' });
    await unfinished(server);
    await server.call('get_queue_status');
    server.child.kill('SIGTERM');
    let stderr = '';
    server.child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    await expect.poll(() => stderr, { timeout: 20_000 }).toContain('a second signal ends at once');
    server.child.kill('SIGINT');
    expect((await server.ended).code).toBe(0);
  });

  it('runs scans in a worker of its own, or in itself, and none with --no-worker', async () => {
    const [own, inside, none] = await Promise.all([
      served(),
      served([], { SCANMUX_WORKER_IN_PROCESS: 'true' }),
      served(['--no-worker']),
    ]);
    const run = (server: Served) => server.call('run_untrusted_scan', { targets: ['127.0.0.1:1'], wait_seconds: 30 });
    const [first, second] = await Promise.all([run(own), run(inside)]);
    expect([first['state'], second['state']]).toEqual(['completed', 'completed']);
    const queued = await none.call('run_untrusted_scan', { targets: ['127.0.0.1:1'], wait_seconds: 2 });
    expect(queued['state']).toBe('queued');
    for (const { child } of [own, inside, none]) child.kill('SIGTERM');
    for (const { ended } of [own, inside, none]) expect((await ended).code).toBe(0);
  });

  it('allows no target without a policy file, not even this machine', async () => {
    const place = createPlace();
    const server = await served(['--no-worker', '--config', place.config]);
    const params = { name: 'run_untrusted_scan', arguments: { targets: ['127.0.0.1:1'] } };
    const response = await server.post({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    expect(await response.text()).toContain('target_denied');
    await place.clean();
  });

  it('does not start where others could reach it while it knows nobody, nor where it cannot listen', async () => {
    const server = await served(['--no-worker']);
    const place = createPlace();
    const open = await runCommand(place, ['serve', '--host', '0.0.0.0', '--port', '0']);
    expect([open.code, open.stdout]).toEqual([2, '']);
    expect(open.stderr).toMatch(/^config_invalid: 0\.0\.0\.0 can be reached by others/m);
    expect(open.stderr).toContain('scanmux keys create');
    const taken = await runCommand(place, ['serve', '--port', `${server.port}`]);
    expect(taken.code).toBe(2);
    expect(taken.stderr).toMatch(/^config_invalid: Cannot listen on 127\.0\.0\.1, port \d+: it is in use/m);
    const none = await runCommand(place, ['serve', '--port', '70000']);
    expect(none.code).toBe(2);
    await place.clean();
  });
});
