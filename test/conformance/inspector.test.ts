import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TOOLS } from '../../src/tools/catalogue.ts';
import { createPlace, MAIN } from '../cli/command-process.ts';
import { served } from '../http/served.ts';
import { INSPECTOR, runProgram, type Said } from './packaged-program.ts';

const Listed = z.object({ tools: z.array(z.object({ name: z.string(), outputSchema: z.object({}) })) });
const Called = z.object({ structuredContent: z.object({ summary: z.string(), backend: z.string() }) });

function said({ code, stdout, stderr }: Said): unknown {
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('rror')]);
  return JSON.parse(stdout);
}

const names = TOOLS.map(({ name }) => name);

/** A second client besides the SDK's own: the Inspector's command line, as a process of its own. */
describe('the Inspector', () => {
  it('lists the tools and calls one over HTTP', async () => {
    const { url } = await served(['--no-worker']);
    const over = [`${url}/mcp`, '--transport', 'http', '--method'];
    const { tools } = Listed.parse(said(await runProgram(INSPECTOR, [...over, 'tools/list'])));
    expect(tools.map(({ name }) => name)).toEqual(names);
    const call = [...over, 'tools/call', '--tool-name', 'get_queue_status'];
    expect(Called.parse(said(await runProgram(INSPECTOR, call))).structuredContent.backend).toBe('sqlite');
  }, 60_000);

  it('shows why a call is refused', async () => {
    const { url } = await served(['--no-worker']);
    const call = [`${url}/mcp`, '--method', 'tools/call', '--tool-name', 'run_untrusted_scan'];
    const { stdout } = await runProgram(INSPECTOR, [...call, '--tool-arg', 'targets=192.0.2.1']);
    expect(stdout).toContain('target_denied');
  }, 60_000);

  it('lists the tools and calls one over stdio', async () => {
    const place = createPlace();
    const over = [process.execPath, MAIN, '--config', place.config, '--data', place.data, '--method'];
    const { tools } = Listed.parse(said(await runProgram(INSPECTOR, [...over, 'tools/list'])));
    expect(tools.map(({ name }) => name)).toEqual(names);
    const call = [...over, 'tools/call', '--tool-name', 'get_queue_status'];
    expect(Called.parse(said(await runProgram(INSPECTOR, call))).structuredContent.backend).toBe('sqlite');
    await place.clean();
  }, 60_000);
});
