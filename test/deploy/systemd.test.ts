import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { unknownVariables } from './documents.ts';

const FOLDER = 'deploy/systemd';
/** A template is checked as one of its instances. */
const UNITS = [
  ['scanmux-server.service', 'scanmux-server.service'],
  ['scanmux-worker@.service', 'scanmux-worker@1.service'],
] as const;

const variablesIn = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap(([, name]) => (name === undefined ? [] : [name]));

it.each(UNITS)('%s sets only variables that are read', (file) => {
  const names = variablesIn(readFileSync(join(FOLDER, file), 'utf8'), /^Environment=(\w+)=/gm);
  expect(names.length).toBeGreaterThan(0);
  expect(unknownVariables(names)).toEqual([]);
});

it('has an example of an environment file with only variables that are read', () => {
  const names = variablesIn(readFileSync(join(FOLDER, 'scanmux.env'), 'utf8'), /^#?([A-Z_]+)=/gm);
  expect(names.length).toBeGreaterThan(0);
  expect(unknownVariables(names)).toEqual([]);
});

// systemd is a part of Linux; elsewhere nobody installs units.
it.runIf(process.platform === 'linux').each(UNITS)('%s is accepted by systemd, and well fenced in', (file, unit) => {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-systemd-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const text = readFileSync(join(FOLDER, file), 'utf8');
  // The package is not installed for all users here; systemd wants to see a program.
  writeFileSync(join(folder, file), text.replaceAll('/usr/bin/scanmux', process.execPath));
  writeFileSync(join(folder, unit), text.replaceAll('/usr/bin/scanmux', process.execPath));
  const analyze = (...argv: string[]) =>
    spawnSync('systemd-analyze', argv, { cwd: folder, encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } });
  const verified = analyze('verify', '--man=no', join(folder, unit));
  expect([verified.status, verified.stderr]).toEqual([0, '']);
  // 0 is safe, 10 is everything allowed.
  const fenced = analyze('security', '--offline=true', '--no-pager', '--threshold=20', join(folder, unit));
  expect([fenced.status, /exposure level.*$/m.exec(fenced.stdout)?.[0]]).toEqual([0, expect.stringContaining('OK')]);
});
