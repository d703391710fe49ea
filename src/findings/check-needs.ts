import { addressOfKey } from './address-key.ts';
import { createDetails } from './finding-details.ts';
import { accessNeeded, leastOf, NO_ACCESS, type Access } from './look-access.ts';
import type { LookFacts } from './look-proof.ts';
import { placeKey } from './look-scope.ts';
import type { OpenFindings } from './open-findings.ts';
import { placeLooked } from './read-look.ts';

/**
 * The least access that a finding of each of these rules was seen with. What was found on a host nothing is said of may
 * have needed all that the scan had anywhere.
 */
export function needsOf(
  file: OpenFindings,
  facts: LookFacts,
  ruleIds: readonly number[],
): ReadonlyMap<number, readonly Access[]> {
  const needs = new Map<number, readonly Access[]>();
  const wanted = new Set(ruleIds);
  if (wanted.size === 0 || (facts.access === 'untrusted' && !hasLogin(file))) return needs;
  const needAt = createNeeds(file, facts);
  for (let index = 0; index < file.count; index += 1) {
    const rule = file.rule[index] ?? 0;
    if (!wanted.has(rule)) continue;
    const known = needs.get(rule) ?? [];
    const need = needAt(file.host[index] ?? 0);
    if (!known.includes(need)) needs.set(rule, leastOf([...known, need]));
  }
  return needs;
}

/** By host; equal ones are the same object. */
function createNeeds(file: OpenFindings, facts: LookFacts): (hostId: number) => Access {
  const details = createDetails(file);
  const statement = file.db.prepare('SELECT place, status, login FROM place WHERE place = ?');
  const most = accessNeeded(facts, hasLogin(file) ? { login: 'success' } : {});
  const once = new Map<string, Access>();
  const byHost = new Map<number, Access>();
  const judge = (hostId: number): Access => {
    const { label, addressKey } = details.host(hostId);
    const address = addressKey === undefined ? undefined : addressOfKey(addressKey);
    const row = statement.get(placeKey(label)) ?? (address === undefined ? undefined : statement.get(address));
    const need = row === undefined ? most : accessNeeded(facts, placeLooked(file.path, row));
    return need.rights === 0 && !need.login ? NO_ACCESS : need;
  };
  return (hostId) => {
    const known = byHost.get(hostId);
    if (known) return known;
    const need = judge(hostId);
    const key = JSON.stringify(need);
    const same = once.get(key) ?? need;
    once.set(key, same);
    byHost.set(hostId, same);
    return same;
  };
}

const hasLogin = ({ db }: OpenFindings): boolean =>
  db.prepare("SELECT 1 FROM place WHERE login IN ('success', 'partial') LIMIT 1").get() !== undefined;
