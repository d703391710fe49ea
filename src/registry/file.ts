import { readFile, stat } from 'node:fs/promises';
import type { Environment } from '../config/environment.ts';
import { isRecord } from '../config/json-value.ts';
import { configInvalid } from '../config/problems.ts';
import { decodeConfig, isAbsent, systemCode } from '../config/read-config-file.ts';
import { parseYaml } from '../config/yaml-text.ts';
import type { ScannerType } from '../scanners/scanner.ts';
import type { PoolConfig } from './pool-config.ts';
import { planPools, type PoolPlan } from './pool-plan.ts';

export const BUILT_IN = 'built-in defaults';
export const ABSENT = 'absent';

/** Changes whenever a file is written or replaced; `absent` when it is not there. Links are followed. */
export async function signatureOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(':');
  } catch (error) {
    return isAbsent(error) ? ABSENT : systemCode(error);
  }
}

export interface PoolSource {
  readonly file: string;
  readonly types: Readonly<Record<string, ScannerType>>;
  /** Pools when there is no file, or one without anything in it but comments. */
  readonly defaults: () => readonly PoolConfig[];
  readonly env: Environment;
}

export interface LoadedPools {
  readonly source: string;
  readonly pools: readonly PoolPlan[];
}

/** Reads and checks scanners.yaml whole. @throws AppError config_invalid, listing everything that is wrong */
export async function loadPools({ file, types, defaults, env }: PoolSource): Promise<LoadedPools> {
  const text = await readText(file);
  const written = text === undefined ? undefined : poolsIn(text, file, { types, env });
  if (written) return { source: file, pools: written };
  const builtIn = defaults().map(({ name, instances }): [string, unknown] => [name, instances]);
  const { pools, problems } = planPools(builtIn, { types, env: undefined, fileAt: () => BUILT_IN });
  if (problems.length > 0) throw configInvalid(problems);
  return { source: BUILT_IN, pools };
}

async function readText(file: string): Promise<string | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw configInvalid([{ where: file, message: `cannot be read (${systemCode(error)})` }]);
  }
  // An editor that writes in place empties the file first: that must not bring the defaults back for a moment.
  if (bytes.length === 0) throw configInvalid([{ where: file, message: 'is empty; remove it to use the defaults' }]);
  return decodeConfig(bytes, file);
}

/** The pools a file holds; undefined when it holds nothing but comments. @throws AppError config_invalid */
export function poolsIn(
  text: string,
  file: string,
  { types, env }: Pick<PoolSource, 'types' | 'env'>,
): readonly PoolPlan[] | undefined {
  const yaml = parseYaml(text, file);
  if (yaml.problems.length > 0) throw configInvalid(yaml.problems);
  if (yaml.value === null) return undefined;
  if (!isRecord(yaml.value) || Object.keys(yaml.value).length === 0) {
    throw configInvalid([{ where: file, message: 'must map the name of each pool to the list of its instances' }]);
  }
  const { pools, problems } = planPools(Object.entries(yaml.value), {
    types,
    env,
    fileAt: (path) => [file, yaml.lineOf(path)].filter((part) => part !== undefined).join(':'),
  });
  if (problems.length > 0) throw configInvalid(problems);
  return pools;
}
