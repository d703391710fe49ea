import type { z } from 'zod';
import { variable, type Environment } from './environment.ts';
import { isRecord, pathText, valueAt, withValueAt } from './json-value.ts';
import { inputSchema } from './lenient-parse.ts';
import { editDistance, nearest } from '../model/nearest.ts';
import type { Problem } from './problems.ts';

const PREFIX = 'SCANMUX_';

/** One key of the settings that has a value, with the variable that sets it. */
export interface SettingVariable {
  readonly path: readonly string[];
  readonly name: string;
  /** JSON Schema of the value: type, bounds, default, description. */
  readonly schema: Readonly<Record<string, unknown>>;
}

/** Walks the schema, so that a new key has its variable and its line in the documentation without a list to keep. */
export function settingVariables(settings: z.ZodType): SettingVariable[] {
  const walk = (node: unknown, path: readonly string[]): SettingVariable[] => {
    const properties = valueAt(node, ['properties']);
    if (isRecord(properties)) return Object.entries(properties).flatMap(([key, part]) => walk(part, [...path, key]));
    return isRecord(node) ? [{ path, name: PREFIX + path.join('_').toUpperCase(), schema: node }] : [];
  };
  return walk(inputSchema(settings), []);
}

/** Names that are not settings but begin like them. */
const OTHER_NAMES = ['SCANMUX_CONFIG_DIR', 'SCANMUX_DATA_DIR'];

/**
 * Lays the variables over what the file says.
 * `sources` maps a key path to the variable that set it. A name one or two edits away from a variable is a problem;
 * other names with our prefix are the operator's own, e.g. for `${...}` in scanners.yaml.
 */
export function overlay(
  fileValue: unknown,
  variables: readonly SettingVariable[],
  env: Environment,
): { raw: unknown; sources: ReadonlyMap<string, string>; problems: readonly Problem[] } {
  const sources = new Map<string, string>();
  let raw = fileValue;
  const set = (path: readonly string[], name: string, value: string): void => {
    raw = withValueAt(raw, path, value);
    sources.set(pathText(path), name);
  };
  const logLevel = variable(env, 'LOG_LEVEL');
  if (logLevel !== undefined) set(['log_level'], 'LOG_LEVEL', logLevel.toLowerCase());
  const redisUrl = variable(env, 'REDIS_URL');
  if (redisUrl !== undefined) set(['redis', 'url'], 'REDIS_URL', redisUrl);
  for (const { path, name } of variables) {
    const value = variable(env, name);
    if (value !== undefined) set(path, name, value);
  }
  const known = [...variables.map(({ name }) => name), ...OTHER_NAMES];
  return { raw, sources, problems: misspelt(known, env) };
}

function misspelt(known: readonly string[], env: Environment): Problem[] {
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .flatMap((name) => {
      const meant = nearest(name, known);
      if (meant === undefined || editDistance(name, meant) > 2) return [];
      return [{ where: `environment variable ${name}`, message: `unknown; did you mean ${meant}?` }];
    });
}
