import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { silentLog } from '../../src/platform/log.ts';

const { stdout, stderr, status } = spawnSync(
  process.execPath,
  [fileURLToPath(new URL('./log-peer.mjs', import.meta.url))],
  { encoding: 'utf8' },
);

const Line = z.looseObject({ level: z.string(), time: z.string(), pid: z.number(), msg: z.string() });
const lines = stderr
  .trim()
  .split('\n')
  .map((line) => Line.parse(JSON.parse(line)));
const line = (message: string): z.infer<typeof Line> | undefined => lines.find(({ msg }) => msg === message);

describe('the log', () => {
  it('outlives a full disk: what waited is written when there is room, within a bound', () => {
    const peer = fileURLToPath(new URL('./log-full-peer.mjs', import.meta.url));
    const ended = spawnSync(process.execPath, [peer], { encoding: 'utf8' });
    expect(ended.status).toBe(0);
    const said = ended.stderr
      .trim()
      .split('\n')
      .map((text) => Line.parse(JSON.parse(text)).msg);
    expect(said[0]).toBe('full 0');
    expect(said.at(-1)).toBe('has room');
    expect(Buffer.byteLength(ended.stderr)).toBeLessThan(1.5 * 1024 * 1024);
  });

  it('writes nothing to stdout, which belongs to MCP', () => {
    expect(status).toBe(0);
    expect(stdout).toBe('');
  });

  it('writes one JSON object per line, in order, and nothing below its level', () => {
    expect(lines.map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      'info with secrets',
      'warn from a child',
      'error it failed',
    ]);
    for (const { time } of lines) expect(new Date(time).toISOString()).toBe(time);
  });

  it('replaces secrets on every level of nesting it promises, also in child logs', () => {
    expect(stderr).not.toContain('hunter2');
    expect(line('with secrets')).toMatchObject({
      password: '[redacted]',
      instance: { secret_key: '[redacted]' },
      request: { headers: { 'x-apikeys': '[redacted]', authorization: '[redacted]' } },
    });
  });

  it('keeps the facts of a child on its lines', () => {
    expect(line('from a child')).toMatchObject({ scanId: 'scan_1', role: 'test', count: 3 });
  });

  it('tells the cause of an error', () => {
    const failed = JSON.stringify(line('it failed'));
    expect(failed).toContain('outer words');
    expect(failed).toContain('inner words');
  });

  it('can be silent, children too', () => {
    expect(silentLog.child({ a: 1 })).toBe(silentLog);
  });
});
