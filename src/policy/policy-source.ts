import { closeSync, fstatSync, openSync, readFileSync, statSync, type BigIntStats } from 'node:fs';
import { AppError } from '../model/errors.ts';
import { range, type AddressRange } from './address.ts';
import { parsePolicy } from './policy-schema.ts';
import { LOOPBACK_RANGES, type PolicyRules, type WrittenRules } from './rules.ts';

/** Without a policy file, `stdio` may scan this machine's loopback and `serve` nothing. */
export type PolicyMode = 'stdio' | 'serve';

/** What is in force now. */
export interface PolicyInForce {
  readonly source: string;
  readonly rules: Omit<PolicyRules, 'tenant'>;
  /** Why the file was refused; the rules then allow nothing. */
  readonly lastError?: string;
}

const MAX_FILE_BYTES = 4_000_000;

const NOTHING: WrittenRules = { allow: [], deny: [], maxHosts: 256, maxIntensity: 'standard' };

const LOOPBACK_ONLY: WrittenRules = {
  ...NOTHING,
  allow: [
    { text: 'localhost', matcher: { ranges: [], host: 'localhost' }, maxIntensity: 'standard' },
    { text: '127.0.0.0/8', matcher: { ranges: [range('127.0.0.0/8')] }, maxIntensity: 'standard' },
    { text: '::1', matcher: { ranges: [range('::1')] }, maxIntensity: 'standard' },
  ],
};

/**
 * Reads the policy file again whenever it is another file than before (time, size or inode). A file that cannot be used
 * allows nothing: keeping an older scope could keep open what the operator has just closed.
 */
export function createPolicySource(deps: {
  readonly file: string;
  readonly mode: PolicyMode;
  readonly ownAddresses: () => readonly AddressRange[];
}): () => PolicyInForce {
  let seen: string | undefined;
  let current: Omit<PolicyInForce, 'rules'> & { rules: WrittenRules };
  return () => {
    const mark = markOf(deps.file);
    if (mark !== seen) {
      current = load(deps.file, deps.mode);
      seen = mark;
    }
    return { ...current, rules: { ...current.rules, own: deps.ownAddresses().filter(isNotLoopback) } };
  };
}

/** A control address on loopback would close all of loopback; there, only ports tell services apart. */
const isNotLoopback = (address: AddressRange): boolean =>
  !LOOPBACK_RANGES.some(
    ({ family, first, last }) => family === address.family && first <= address.first && address.last <= last,
  );

function markOf(file: string): string {
  try {
    return markOfStats(statSync(file, { bigint: true }));
  } catch (error) {
    return String(error instanceof Error && 'code' in error ? error.code : error);
  }
}

const markOfStats = ({ mtimeNs, ctimeNs, size, ino }: BigIntStats): string => [mtimeNs, ctimeNs, size, ino].join(' ');

function load(file: string, mode: PolicyMode): Omit<PolicyInForce, 'rules'> & { rules: WrittenRules } {
  try {
    return { source: file, rules: parsePolicy(readBounded(file)) };
  } catch (error) {
    if (isMissing(error)) {
      return mode === 'stdio'
        ? { source: 'built-in: loopback only', rules: LOOPBACK_ONLY }
        : { source: 'built-in: nothing', rules: NOTHING };
    }
    const why = error instanceof Error ? error.message : String(error);
    return { source: file, rules: NOTHING, lastError: why };
  }
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

function readBounded(file: string): string {
  // Before opening: opening a named pipe would wait for a writer.
  if (!statSync(file).isFile()) throw new AppError('config_invalid', 'policy.yaml is not a plain file.');
  const descriptor = openSync(file, 'r');
  try {
    if (fstatSync(descriptor).size > MAX_FILE_BYTES)
      throw new AppError('config_invalid', 'policy.yaml is larger than 4 MB.');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}
