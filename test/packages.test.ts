import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

/** Packages that declare an install script and are known to work without it, with the reason. */
const WORKS_WITHOUT_ITS_SCRIPT: Readonly<Record<string, string>> = {
  'node_modules/@photostructure/sqlite': 'Ships prebuilt binaries; the script only looks for one and finds it.',
  'node_modules/msgpackr-extract':
    'Optional, of BullMQ, which only the benches use; without it msgpackr does the same in JavaScript.',
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
      optionalDependencies: z.record(z.string(), z.string()).optional(),
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

/** Optional packages somebody names and the lock lacks: with one missing, `npm ci` refuses the whole lock. */
const lackingPlatforms = ({ packages }: Lock): string[] => {
  const locked = new Set(Object.keys(packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 13)));
  const named = Object.values(packages).flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}));
  return named.filter((name) => !locked.has(name));
};

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

  it('are locked for every platform, not only for the one the lock was made on', () => {
    expect(lackingPlatforms(readLock())).toEqual([]);
  });

  it('would be refused with an install script, a registry host or a platform left out', () => {
    const bad = {
      hasInstallScript: true,
      resolved: 'https://r.test/bad.tgz',
      optionalDependencies: { 'bad-mac': '1' },
    };
    const lock = { packages: { 'node_modules/bad': bad } };
    expect(lackingPlatforms(lock)).toEqual(['bad-mac']);
    expect(needingScripts(lock)).toEqual(['node_modules/bad']);
    expect(namingRegistry(lock)).toEqual(['node_modules/bad']);
  });
});
