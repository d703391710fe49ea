import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { examineRetention } from '../../src/cli/doctor/retention.ts';
import { loadSettings } from '../../src/config/settings.ts';

function settingsFrom(text: string) {
  const configFolder = mkdtempSync(join(tmpdir(), 'scanmux-retention-'));
  onTestFinished(() => rmSync(configFolder, { recursive: true, force: true }));
  writeFileSync(join(configFolder, 'scanmux.yaml'), text);
  return loadSettings({ configFolder, env: {} });
}

it('doctor tells what is kept for how long', async () => {
  expect(await examineRetention({ settings: settingsFrom('') })).toMatchObject([
    { level: 'ok', said: 'kept: finished scans: for ever; dead letters: for ever; exports: for 7 days' },
  ]);
  const rules = 'retention: { finished_days: 1, finished_per_tenant: 50, dead_letter_days: 90, exports_days: 2 }';
  expect(await examineRetention({ settings: settingsFrom(rules) })).toMatchObject([
    {
      said: 'kept: finished scans: for 1 day, the newest 50 of a tenant; dead letters: for 90 days; exports: for 2 days',
    },
  ]);
});

it('dead letters that would go before finished scans are refused, naming the key', () => {
  const wrong = 'retention: { finished_days: 30, dead_letter_days: 7 }';
  expect(() => settingsFrom(wrong)).toThrow(/retention\.dead_letter_days.*must not be less than/s);
  expect(settingsFrom('retention: { dead_letter_days: 7 }').retention.dead_letter_days).toBe(7);
});
