import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const GROUP_WRITE = 0o020;
const OTHER_WRITE = 0o002;

/**
 * What lets somebody else widen the scope: a policy file or folder that others may write or own. One sentence each, with
 * the fix; empty when all is well. On Windows modes say nothing, and nothing is said.
 */
export async function policyFileWarnings(file: string): Promise<readonly string[]> {
  if (process.platform === 'win32') return [];
  const found = await Promise.all([writableByOthers(file), writableByOthers(dirname(file))]);
  return found.flat();
}

async function writableByOthers(path: string): Promise<string[]> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats) return [];
  const warnings: string[] = [];
  const who = [stats.mode & GROUP_WRITE ? 'its group' : '', stats.mode & OTHER_WRITE ? 'everybody' : ''].filter(
    Boolean,
  );
  if (who.length > 0) warnings.push(`${path} can be written by ${who.join(' and ')}: chmod go-w ${path}`);
  const me = process.getuid?.();
  if (me !== undefined && stats.uid !== me && stats.uid !== 0) {
    warnings.push(`${path} belongs to user ${stats.uid}, not to you: chown it, or use another config folder.`);
  }
  return warnings;
}
