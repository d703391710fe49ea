import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connect, createInstallation, finished } from './stdio-client.ts';

const SECRET = 'e2e canary 5f1c <secret>';

const bytesBelow = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile())
    .map((file) => readFileSync(file, 'latin1'))
    .join('\n');

describe('a scan that logs in, over stdio and a worker of its own', () => {
  it('is adopted with its login when its worker was killed, and its secret is kept nowhere', async () => {
    const installation = createInstallation();
    const secret = join(installation.outside, 'secret');
    writeFileSync(secret, `${SECRET}\n`, { mode: 0o600 });
    writeFileSync(
      join(installation.config, 'credentials.yaml'),
      `lab: { kind: ssh_password, username: u, pools: [scripted], targets: [127.0.0.1], password: { file: ${secret} } }\n`,
      { mode: 0o600 },
    );
    const mcp = await connect(installation);
    const { scan_id: id } = await mcp.ok('run_authenticated_scan', {
      targets: ['127.0.0.1'],
      scanner_pool: 'scripted',
      credential_ref: 'lab',
      templates: ['kill:after_launched'],
    });
    const ended = await finished(mcp, String(id));
    expect(ended).toMatchObject({
      state: 'completed',
      verdict: 'complete',
      authentication: { success: 1, partial: 0, failed: 0 },
    });
    const answers = [ended, await mcp.ok('get_scan_results', { scan_id: id, detail: 'full' })];
    await mcp.close();
    expect(installation.journal().filter((line) => line.startsWith('start '))).toHaveLength(1);
    const kept = bytesBelow(installation.data);
    expect(kept).toContain('\\"password\\":\\"***\\"');
    for (const text of [SECRET, JSON.stringify(SECRET).slice(1, -1), Buffer.from(SECRET).toString('base64')]) {
      expect(kept).not.toContain(text);
      expect(JSON.stringify(answers)).not.toContain(text);
    }
  });
});
