import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPlace, runCommand, startCommand, type Place } from './command-process.ts';

let place: Place;
beforeEach(() => {
  place = createPlace();
});
// No command here opens the data folder, so no worker can be left.
afterEach(() => rmSync(place.folder, { recursive: true, force: true }));

const Said = z.object({ url: z.string(), access_key: z.string(), secret_key: z.string(), tls_fingerprint: z.string() });

describe('scanmux simulate nessus', () => {
  it('answers as the scenario and the options say until it is told to end', async () => {
    const [scenario, journal, ca] = ['scenario.yaml', 'journal.jsonl', 'ca.pem'].map((name) =>
      join(place.folder, name),
    );
    writeFileSync(scenario ?? '', 'edition: manager\nscans: [{name: "semanal – mañana"}]\n');
    const child = startCommand(place, [
      ...`simulate nessus --port 0 --edition essentials --json`.split(' '),
      ...`--scenario ${scenario} --journal ${journal} --ca ${ca}`.split(' '),
    ]);
    if (!child.stdout) throw new Error('no standard output');
    const [line]: unknown[] = await once(createInterface(child.stdout), 'line');
    const { url, access_key: access, secret_key: secret } = Said.parse(JSON.parse(String(line)));
    const dispatcher = new Agent({ connect: { ca: readFileSync(ca ?? '', 'utf8') } });
    const headers = { 'X-ApiKeys': `accessKey=${access}; secretKey=${secret}` };
    const { body } = await request(`${url}/scans`, { dispatcher, headers });
    expect(await body.json()).toMatchObject({ scans: [{ name: 'semanal – mañana', status: 'completed' }] });
    const write = await request(`${url}/scans`, { dispatcher, headers, method: 'POST', body: '{}' });
    expect(write.statusCode).toBe(412);
    await dispatcher.destroy();
    child.kill('SIGTERM');
    const [code]: unknown[] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(
      readFileSync(journal ?? '', 'utf8')
        .trimEnd()
        .split('\n'),
    ).toHaveLength(2);
    expect(existsSync(place.data)).toBe(false);
  });

  it('says what is wrong with a scenario, and runs nothing', async () => {
    const scenario = join(place.folder, 'scenario.yaml');
    writeFileSync(scenario, 'edition: home\n');
    const { code, stdout, stderr } = await runCommand(place, ['simulate', 'nessus', '--scenario', scenario]);
    expect({ code, stdout }).toEqual({ code: expect.any(Number), stdout: '' });
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/config_invalid: .*scenario\.yaml[\s\S]*at edition/);
    expect(stderr).not.toMatch(/\bat .*\.js:/);
  });

  it('says when the port is none, or taken', async () => {
    expect((await runCommand(place, ['simulate', 'nessus', '--port', '99999'])).stderr).toContain(
      '--port must be at most 65535',
    );
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = z.object({ port: z.number() }).parse(other.address());
    const { stderr } = await runCommand(place, ['simulate', 'nessus', '--port', String(port)]);
    other.close();
    expect(stderr).toContain(`Port ${port} is in use`);
  });
});
