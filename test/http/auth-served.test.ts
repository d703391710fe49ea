import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runCommand } from '../cli/command-process.ts';
import { served } from './served.ts';

const STRICT = { SCANMUX_HTTP_ALLOW_ANONYMOUS_LOOPBACK: 'false' };
const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list' };

describe('scanmux serve with keys', () => {
  it('lets in who has a key, as its tenant, from when it is made until it is revoked', async () => {
    const { place, url, post } = await served([], STRICT);
    const nobody = await post(LIST);
    expect(nobody.status).toBe(401);
    expect(nobody.headers.get('www-authenticate')).toBe('Bearer realm="scanmux"');

    const made = await runCommand(place, ['keys', 'create', '--name', 'e2e', '--tenant', 'acme']);
    const key = made.stdout.trim();
    const headers = { authorization: `Bearer ${key}` };
    expect((await post(LIST, headers)).status).toBe(200);
    const list = await fetch(`${url}/api/scans`, { headers });
    expect(await list.json()).toMatchObject({ total: 0 });
    const run = await fetch(`${url}/api/scans`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ targets: ['127.0.0.1'] }),
    });
    // The policy of this place opens localhost to this machine's own tenant.
    expect(run.status).toBe(403);
    expect(await run.json()).toMatchObject({ code: 'target_denied', hint: expect.stringContaining('--tenant acme') });

    expect((await runCommand(place, ['keys', 'revoke', key.slice(0, 12)])).code).toBe(0);
    let ended = await post(LIST, headers);
    for (let tries = 0; ended.status !== 401 && tries < 100; tries += 1) {
      await ended.text();
      await delay(50);
      ended = await post(LIST, headers);
    }
    expect(ended.status).toBe(401);
    expect(await ended.text()).toContain('was revoked');
    const audit = (await runCommand(place, ['audit', 'tail', '--json'])).stdout;
    expect(audit).toMatch(/login_refused/);
    expect(audit).not.toContain(key.slice(13));
  });

  it('may be reached by others once there is a key', async () => {
    const { place, port } = await served([], STRICT);
    // One that is taken: who passes the check ends all the same.
    const open = ['serve', '--host', '0.0.0.0', '--port', `${port}`];
    const before = await runCommand(place, open);
    expect(before.stderr).toMatch(/^config_invalid: 0\.0\.0\.0 can be reached by others/m);
    await runCommand(place, ['keys', 'create', '--name', 'e2e']);
    expect((await runCommand(place, open)).stderr).toMatch(/Cannot listen on 0\.0\.0\.0, port \d+: it is in use/);
  });
});
