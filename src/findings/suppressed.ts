import type { Suppression, Suppressions } from './findings.ts';
import { lastMade } from './kept.ts';
import { PRINT_BYTES } from './layout.ts';
import type { OpenFindings } from './open-findings.ts';

/** What a tenant's judgements mean for one file. */
export interface Suppressed {
  /** 1 for each finding, in the order of the columns, that a judgement holds for; absent when there is none. */
  readonly mask?: Uint8Array;
  readonly count: number;
  /** The judgement that holds for a finding: one on it alone goes before one on its rule. */
  entryAt(index: number): Suppression | undefined;
}

const NOTHING: Suppressed = { count: 0, entryAt: () => undefined };

const kept = lastMade<Suppressed>(1);

/** Made once per version and file: a pass over all fingerprints, a few milliseconds per million. */
export function suppressedIn(file: OpenFindings, suppressions: Suppressions): Suppressed {
  if (suppressions.entries.length === 0) return NOTHING;
  return kept(file, suppressions.version, () => findSuppressed(file, suppressions.entries));
}

export const fingerprintAt = (file: OpenFindings, index: number): string => {
  const prints = file.prints();
  return Buffer.from(prints.buffer, prints.byteOffset + index * PRINT_BYTES, PRINT_BYTES).toString('hex');
};

function findSuppressed(file: OpenFindings, entries: readonly Suppression[]): Suppressed {
  const byPrint = new Map<string, Suppression>();
  const byRule = new Map<string, Suppression>();
  for (const entry of entries) {
    if (entry.fingerprint !== undefined) keepFirst(byPrint, entry.fingerprint, entry);
    else if (entry.engine === file.engine && entry.rule_id !== undefined) keepFirst(byRule, entry.rule_id, entry);
  }
  const byName = namesOf(file, byRule);
  const mask = new Uint8Array(file.count);
  if (byPrint.size > 0) markPrints(file, byPrint, mask);
  if (byName.size > 0) markRules(file, byName, mask);
  let count = 0;
  for (const bit of mask) count += bit;
  if (count === 0) return NOTHING;
  const hasSignals = signalTest(file);
  const printEntry = (index: number): Suppression | undefined => {
    const entry = byPrint.get(fingerprintAt(file, index));
    return entry && (entry.byOperator === true || !hasSignals(index)) ? entry : undefined;
  };
  return {
    mask,
    count,
    entryAt(index) {
      if (mask[index] !== 1) return undefined;
      return printEntry(index) ?? byName.get(file.rules.name[file.rule[index] ?? 0] ?? 0);
    },
  };
}

function keepFirst(entries: Map<string, Suppression>, key: string, entry: Suppression): void {
  if (!entries.has(key)) entries.set(key, entry);
}

/** Judgements on rules by the number of the rule's name. */
function namesOf(file: OpenFindings, byRule: ReadonlyMap<string, Suppression>): Map<number, Suppression> {
  const byName = new Map<number, Suppression>();
  if (byRule.size === 0) return byName;
  for (const { id, text } of file.db.prepare('SELECT id, text FROM rule_name').iterate()) {
    const entry = byRule.get(String(text));
    if (entry) byName.set(Number(id), entry);
  }
  return byName;
}

function markRules({ count, rule, rules }: OpenFindings, byName: ReadonlyMap<number, unknown>, mask: Uint8Array): void {
  const isHit = Uint8Array.from(rules.name, (name) => (byName.has(name) ? 1 : 0));
  for (let index = 0; index < count; index += 1) if (isHit[rule[index] ?? 0] === 1) mask[index] = 1;
}

/**
 * Whether the text of a finding looks like instructions to a model. An equal finding with harmless text has the same
 * fingerprint, so that who may not judge this one could judge that one instead.
 */
function signalTest({ db, body }: OpenFindings): (index: number) => boolean {
  const words = db.prepare("SELECT json_array_length(json, '$.injection_signals') AS n FROM body WHERE id = ?");
  return (index) => words.get(body[index] ?? 0)?.['n'] !== 0;
}

/** Only the few prints that begin like a suppressed one are compared as text. */
function markPrints(file: OpenFindings, byPrint: ReadonlyMap<string, Suppression>, mask: Uint8Array): void {
  const prints = file.prints();
  const hasSignals = signalTest(file);
  const beginnings = new Uint8Array(2 ** 16);
  for (const print of byPrint.keys()) beginnings[Number.parseInt(print.slice(0, 4), 16)] = 1;
  for (let index = 0; index < file.count; index += 1) {
    const at = index * PRINT_BYTES;
    const beginning = (prints[at] ?? 0) * 256 + (prints[at + 1] ?? 0);
    if (beginnings[beginning] !== 1) continue;
    const entry = byPrint.get(fingerprintAt(file, index));
    if (entry && (entry.byOperator === true || !hasSignals(index))) mask[index] = 1;
  }
}
