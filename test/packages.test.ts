import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

/** Packages that declare an install script and are known to work without it, with the reason. */
const WORKS_WITHOUT_ITS_SCRIPT: Readonly<Record<string, string>> = {
  'node_modules/@photostructure/sqlite': 'Ships prebuilt binaries; the script only looks for one and finds it.',
};

const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      dev: z.boolean().optional(),
      devOptional: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
    }),
  ),
});
type Lock = z.infer<typeof Lock>;

const readLock = (): Lock => Lock.parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));

const needingScripts = ({ packages }: Lock): string[] =>
  Object.entries(packages)
    .filter(([, { dev, devOptional, hasInstallScript }]) => hasInstallScript && !dev && !devOptional)
    .map(([path]) => path);

const namingRegistry = ({ packages }: Lock): string[] =>
  Object.entries(packages)
    .filter(([, { resolved }]) => resolved !== undefined)
    .map(([path]) => path);

describe('the packages scanmux is made of', () => {
  it('need no install script, because npm 12 runs none', () => {
    expect(needingScripts(readLock()).toSorted()).toEqual(Object.keys(WORKS_WITHOUT_ITS_SCRIPT).toSorted());
  });

  it('work although their install script did not run', async () => {
    const { DatabaseSync } = await import('@photostructure/sqlite');
    const db = new DatabaseSync(':memory:');
    expect(db.prepare('SELECT 1 AS one').get()).toEqual({ one: 1 });
    db.close();
  });

  it('are locked by hash and by no registry host, so that any mirror can bring them', () => {
    const lock = readLock();
    const unlocked = Object.entries(lock.packages).filter(([path, { integrity }]) => path !== '' && !integrity);
    expect(namingRegistry(lock)).toEqual([]);
    expect(unlocked).toEqual([]);
  });

  it('would be refused with an install script or a registry host', () => {
    const lock = { packages: { 'node_modules/bad': { hasInstallScript: true, resolved: 'https://r.test/bad.tgz' } } };
    expect(needingScripts(lock)).toEqual(['node_modules/bad']);
    expect(namingRegistry(lock)).toEqual(['node_modules/bad']);
  });
});
