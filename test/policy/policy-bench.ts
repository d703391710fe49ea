import { AGENT_SCOPES } from '../../src/model/caller.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { Intensity } from '../../src/model/scan.ts';
import { createPolicy } from '../../src/policy/create-policy.ts';
import type { PolicyMode } from '../../src/policy/policy-source.ts';
import type { PolicyAnswer, TargetDecision } from '../../src/policy/policy.ts';
import type { Ipv6Presence } from '../../src/policy/resolver.ts';
import { parseTarget } from '../../src/policy/target.ts';

export const caller = { tenant: 'local', name: 'test', isOperator: false, scopes: AGENT_SCOPES };

interface Setup {
  /** Text of policy.yaml; absent = no file. */
  readonly yaml?: string;
  readonly mode?: PolicyMode;
  /** Names and their answers; a name that is absent does not resolve. */
  readonly names?: Readonly<Record<string, readonly string[]>>;
  readonly ipv6?: Ipv6Presence;
  readonly now?: string;
  readonly own?: readonly string[];
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A policy on a real file in a folder of its own, with a scripted resolver that records what it was asked. */
export function policyOf(setup: Setup) {
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-policy-'));
  folders.push(folder);
  const file = join(folder, 'policy.yaml');
  if (setup.yaml !== undefined) writeFileSync(file, setup.yaml);
  const lookups: string[] = [];
  let now = Date.parse(setup.now ?? '2026-06-01T12:00:00Z');
  const policy = createPolicy({
    file,
    mode: setup.mode ?? 'stdio',
    clock: { now: () => now },
    hasIpv6: () => setup.ipv6 ?? { loopback: true, global: true },
    ownAddresses: () => setup.own ?? [],
    lookup: (host) => {
      lookups.push(host);
      const answer = setup.names?.[host];
      return answer ? Promise.resolve(answer) : Promise.reject(new Error('ENOTFOUND'));
    },
  });
  const ask = (texts: readonly string[], intensity: Intensity = 'standard'): Promise<PolicyAnswer> =>
    policy.check(
      texts.map((text) => parseTarget(text)),
      { intensity, caller },
      new AbortController().signal,
    );
  return {
    file,
    policy,
    lookups,
    ask,
    setNow: (text: string) => {
      now = Date.parse(text);
    },
    /** The decision on one target. */
    one: async (text: string, intensity?: Intensity): Promise<TargetDecision> => {
      const [decision] = (await ask([text], intensity)).targets;
      if (!decision) throw new Error('no decision');
      return decision;
    },
  };
}

/** A policy file that allows and denies these, each in quotes. */
export const scope = (allow: readonly string[], deny: readonly string[] = [], maxHosts = 256): string =>
  JSON.stringify({ max_hosts: maxHosts, allow, deny });
