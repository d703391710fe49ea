import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { settingVariables } from '../../src/config/settings-environment.ts';
import { Settings } from '../../src/config/settings.ts';

/** Every document of a file, with its merge keys resolved. @throws Error naming the file for anything but clean YAML */
export function documentsOf(file: string): unknown[] {
  return parseAllDocuments(readFileSync(file, 'utf8'), { merge: true, uniqueKeys: true }).map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem) throw new Error(`${file}: ${problem.message}`);
    return z.json().parse(document.toJS());
  });
}

export function yamlFilesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Variables that are read besides the settings. */
const OTHERS = /^(?:REDIS_URL|NODE_ENV|POD_NAME|SCANMUX_(?:CONFIG|DATA)_DIR|OTEL_[A-Z_]+|AWS_[A-Z_]+)$/;

/** Those of `names` that nothing reads. */
export function unknownVariables(names: readonly string[]): string[] {
  const known = new Set(settingVariables(Settings).map(({ name }) => name));
  return names.filter((name) => !known.has(name) && !OTHERS.test(name));
}
