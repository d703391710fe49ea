import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Command } from '../../../src/simulators/nessus/control.ts';
import { Scenario, parseScenario } from '../../../src/simulators/nessus/scenario.ts';

const page = readFileSync('docs/simulators.md', 'utf8');

/** Every key and every choice of a JSON Schema. */
function wordsOf(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap((part) => wordsOf(part));
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => [
    ...(key === 'properties' && typeof value === 'object' && value !== null ? Object.keys(value) : []),
    ...(key === 'enum' && Array.isArray(value) ? value.filter((word) => typeof word === 'string') : []),
    ...(key === 'default' ? [] : wordsOf(value)),
  ]);
}

describe('docs/simulators.md', () => {
  it('shows scenarios that work', () => {
    const blocks = [...page.matchAll(/```yaml\n# scenario[^\n]*\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) expect(parseScenario(parse(block)).faults.length).toBeGreaterThan(0);
  });

  it.each([...new Set(wordsOf(z.toJSONSchema(Scenario, { io: 'input' })))])('explains %s', (word) => {
    expect(page).toMatch(new RegExp(`\\b${word}\\b`));
  });

  it.each([...new Set(wordsOf(z.toJSONSchema(Command, { io: 'input' })))])('explains the command word %s', (word) => {
    expect(page).toMatch(new RegExp(`\\b${word}\\b`));
  });
});
