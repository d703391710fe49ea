import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { z } from 'zod';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TOOLS } from '../../src/tools/catalogue.ts';
import { commandsIn } from './documented-commands.ts';

const readme = readFileSync('README.md', 'utf8');

const Launch = z.strictObject({ type: z.literal('stdio').optional(), command: z.string(), args: z.array(z.string()) });
type Launch = z.infer<typeof Launch>;
const Servers = z.strictObject({ scanmux: Launch });
const Settings = z.union([z.strictObject({ mcpServers: Servers }), z.strictObject({ servers: Servers })]);

/** How each client is told to start the server. */
function launches(): Launch[] {
  const blocks = [...readme.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text = '']) =>
    Settings.parse(JSON.parse(text)),
  );
  const inFiles = blocks.map((block) => ('servers' in block ? block.servers : block.mcpServers).scanmux);
  const [claude] = commandsIn(readme).filter(({ words }) => words[0] === 'claude');
  const [command = '', ...args] = claude?.words.slice(claude.words.indexOf('--') + 1) ?? [];
  return [...inFiles, { command, args }];
}

describe('the README', () => {
  it('shows each client how to start a server that answers', async () => {
    const all = launches();
    expect(all).toHaveLength(3);
    expect(new Set(all.map(({ command, args }) => [command, ...args].join(' '))).size).toBe(1);
    const folder = mkdtempSync(join(tmpdir(), 'scanmux-readme-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const here = (text: string): string =>
      text.replace('/path/to/node', process.execPath).replace('/path/to/scanmux', process.cwd());
    for (const { command, args } of all.slice(0, 1)) {
      const client = new Client({ name: 'readme', version: '1.0.0' });
      const env = { SCANMUX_CONFIG_DIR: join(folder, 'config'), SCANMUX_DATA_DIR: join(folder, 'data') };
      const transport = new StdioClientTransport({ command: here(command), args: args.map(here), env, cwd: folder });
      await client.connect(transport);
      expect((await client.listTools()).tools).toHaveLength(TOOLS.length);
      await client.close();
    }
  });

  it('names every tool there is, and none that is not', () => {
    const named = [...readme.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name = '']) => name);
    expect(named.toSorted((a, b) => a.localeCompare(b))).toEqual(
      TOOLS.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b)),
    );
  });
});
