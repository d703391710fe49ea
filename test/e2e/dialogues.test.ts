import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { estimateTokens } from '../../src/findings/tokens.ts';
import { startWeakWeb } from '../../src/simulators/weak-web.ts';
import { answerText, dialoguesIn, layOut, type Dialogue, type DialogueStep } from '../docs/dialogue-page.ts';
import { freePort } from '../free-port.ts';
import { createPlaceholders, type Placeholders } from '../docs/placeholders.ts';
import { connect, createInstallation, type Connection } from './stdio-client.ts';

const PAGE = 'docs/agents.md';
/** Set to write what the tools answer into the page instead of comparing. Read the difference before committing it. */
const UPDATE = process.env['SCANMUX_UPDATE_DOCS'] === '1';

const page = readFileSync(PAGE, 'utf8');
const dialogues = dialoguesIn(page);
const replacements: { readonly from: number; readonly to: number; readonly text: string }[] = [];

const BASELINE_ONLY = { 'scanners.yaml': 'baseline:\n  - { instance_id: local, name: This machine }\n' };
/** The engine of tests under the name of what it stands in for. */
const LARGE_SCANNER = {
  'scanners.yaml': 'scripted:\n  - { instance_id: only, name: A large scanner, folder: $OUTSIDE }\n',
};

interface Scene {
  readonly mcp: Connection;
  readonly ports: ReadonlyMap<number, number>;
}

const SCENES: Readonly<Record<string, () => Promise<Scene>>> = {
  async 'dev-server'() {
    const web = await startWeakWeb();
    onTestFinished(() => web.close());
    const mcp = await connect(createInstallation(BASELINE_ONLY), { program: 'dist/cli/main.js' });
    return { mcp, ports: new Map([[3000, web.port]]) };
  },
  async 'nothing-listens'() {
    const mcp = await connect(createInstallation(BASELINE_ONLY), { program: 'dist/cli/main.js' });
    return { mcp, ports: new Map([[3001, await freePort()]]) };
  },
  async 'two-weeks'() {
    const folder = JSON.stringify(join(import.meta.dirname, '..', 'fixtures', 'dialogues'));
    const installation = createInstallation({
      ...BASELINE_ONLY,
      'policy.yaml': 'allow: [10.1.0.0/24]\n',
      'scanmux.yaml': `storage_reserve_mb: 0\nimport_folders: [${folder}]\n`,
    });
    return { mcp: await connect(installation, { program: 'dist/cli/main.js' }), ports: new Map() };
  },
  async 'large-scanner'() {
    return { mcp: await connect(createInstallation(LARGE_SCANNER)), ports: new Map() };
  },
};

const Arguments = z.record(z.string(), z.unknown());
const Answer = z.object({ content: z.array(z.object({ text: z.string().optional() })) });

async function answerOf({ mcp }: Scene, step: DialogueStep, placeholders: Placeholders): Promise<string> {
  if (step.awaited) await reach(mcp, placeholders, step.awaited);
  const args = Arguments.parse(JSON.parse(placeholders.fill(step.arguments)));
  const { content } = Answer.parse(await mcp.client.callTool({ name: step.tool, arguments: args }));
  return content[0]?.text ?? '';
}

async function reach(mcp: Connection, placeholders: Placeholders, { scan, state }: { scan: string; state: string }) {
  const { scan_id: id } = Arguments.parse(JSON.parse(placeholders.fill(`{"scan_id":"${scan}"}`)));
  await expect
    .poll(() => mcp.ok('get_scan_status', { scan_id: id }), { timeout: 20_000 })
    // A running scan has progress once its engine is at work.
    .toMatchObject(state === 'running' ? { state, progress: { phase: 'scripted' } } : { state });
}

/** Plays a dialogue; resolves to what its answers cost an agent, in tokens. */
async function play({ scene: name, steps }: Dialogue): Promise<number> {
  const scene = await SCENES[name]?.();
  if (!scene) throw new Error(`there is no scene ${name}`);
  const placeholders = createPlaceholders(scene.ports);
  let tokens = 0;
  for (const step of steps) {
    const text = await answerOf(scene, step, placeholders);
    tokens += estimateTokens(text);
    const shown = placeholders.show(text);
    if (UPDATE) replacements.push({ from: step.from, to: step.to, text: layOut(shown) });
    else expect(answerText(step.answer), `${step.tool} ${step.arguments}`).toBe(shown);
  }
  return tokens;
}

afterAll(() => {
  if (!UPDATE) return;
  const updated = replacements
    .toSorted((a, b) => b.from - a.from)
    .reduce((text, { from, to, text: answer }) => text.slice(0, from) + answer + text.slice(to), page);
  writeFileSync(PAGE, updated);
});

describe('the dialogues for agents', () => {
  it.each(dialogues)('$title: every answer is the one shown', { timeout: 120_000 }, async (dialogue) => {
    const tokens = await play(dialogue);
    const promised = /in at most (\w+) calls and ([\d,]+) tokens/.exec(dialogue.title);
    if (!promised) return;
    expect(promised[1]).toBe('five');
    expect(dialogue.steps.length).toBeLessThanOrEqual(5);
    expect(tokens).toBeLessThanOrEqual(Number(promised[2]?.replace(',', '')));
  });

  it('are all there, and none of their calls is left unread', () => {
    expect(dialogues.map(({ scene }) => scene).toSorted()).toEqual([
      'dev-server',
      'dev-server',
      'large-scanner',
      'large-scanner',
      'large-scanner',
      'nothing-listens',
      'two-weeks',
      'two-weeks',
    ]);
    expect(dialogues.flatMap(({ steps }) => steps)).toHaveLength(page.match(/```json call/g)?.length ?? 0);
    for (const { tool } of dialogues.flatMap(({ steps }) => steps)) expect(tool).not.toBe('');
  });
});
