import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMcpServer } from '../../src/tools/server.ts';
import { mcpLab } from '../http/mcp-lab.ts';
import { addFixtures } from './fixtures.ts';

const RUNNER = resolve('node_modules/@modelcontextprotocol/conformance/dist/index.js');
const SHIM = pathToFileURL(resolve('test/conformance/fs-of-node-22.mjs')).href;
const EXPECTED = resolve('test/conformance/expected.yaml');

/** What the runner says, and how it ends. It writes into the folder it is started in: an empty one. */
function conformance(argv: readonly string[]): Promise<{ code: number | null; said: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-conformance-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['--import', SHIM, RUNNER, ...argv], { cwd: folder });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  return new Promise((done) => {
    child.once('close', (code) => done({ code, said: Buffer.concat(said).toString() }));
  });
}

describe('the official conformance runner', () => {
  it('finds nothing wrong in any of its scenarios, over the transport that serves scans', async () => {
    const lab = await mcpLab({
      makeServer: (askerOf) =>
        addFixtures(
          createMcpServer({
            version: '0.0.0',
            open: () => Promise.reject(new Error('fixtures open nothing')),
            askerOf,
            onDefect: () => undefined,
          }),
        ),
    });
    // By this name, which the server must take for its own.
    const url = lab.url.replace('127.0.0.1', 'localhost');
    const argv = ['server', '--url', `${url}/mcp`, '--suite', 'all', '--expected-failures', EXPECTED];
    const { code, said } = await conformance(argv);
    expect(said).toContain('server-sse-polling');
    expect(said).toContain('dns-rebinding-protection');
    expect([code, code === 0 ? '' : said]).toEqual([0, '']);
  }, 120_000);

  it.each(['server-initialize', 'ping', 'tools-list', 'prompts-list', 'dns-rebinding-protection'])(
    'finds nothing wrong in %s of the server as it is, without fixtures',
    async (scenario) => {
      const lab = await mcpLab();
      const url = lab.url.replace('127.0.0.1', 'localhost');
      const { code, said } = await conformance(['server', '--url', `${url}/mcp`, '--scenario', scenario]);
      expect([code, code === 0 ? '' : said]).toEqual([0, '']);
    },
    60_000,
  );
});
