import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMcpServer } from '../../src/tools/server.ts';
import { mcpLab, type McpLab } from '../http/mcp-lab.ts';
import { addFixtures } from './fixtures.ts';
import { CONFORMANCE, runProgram } from './packaged-program.ts';

const EXPECTED = resolve('test/conformance/expected.yaml');

/** By the name the runner takes for that of a local server. */
const server = ({ port }: McpLab): string[] => ['server', '--url', `http://localhost:${port}/mcp`];

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
    const argv = [...server(lab), '--suite', 'all', '--expected-failures', EXPECTED];
    const { code, stdout, stderr } = await runProgram(CONFORMANCE, argv);
    expect(stdout).toContain('server-sse-multiple-streams');
    expect(stdout).toContain('dns-rebinding-protection');
    expect([code, code === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  }, 120_000);

  it.each(['server-initialize', 'ping', 'tools-list', 'prompts-list', 'dns-rebinding-protection'])(
    'finds nothing wrong in %s of the server as it is, without fixtures',
    async (scenario) => {
      const lab = await mcpLab();
      const { code, stdout, stderr } = await runProgram(CONFORMANCE, [...server(lab), '--scenario', scenario]);
      expect([code, code === 0 ? '' : stdout + stderr]).toEqual([0, '']);
    },
    60_000,
  );
});
