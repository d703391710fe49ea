import { operatesService } from '../model/caller.ts';
import type { Intensity } from '../model/scan.ts';
import type { Ask, ScanDeps } from './deps.ts';

/** What a caller may do, for people and agents. */
export interface ScopeDescription {
  readonly summary: string;
  readonly source: string;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly max_hosts: number;
  readonly max_intensity: Intensity;
  readonly scopes: readonly string[];
  readonly last_error?: string;
}

type Deps = Pick<ScanDeps, 'policy' | 'operatorTenants'>;

export type DescribeScope = (input: object, ask: Ask) => Promise<ScopeDescription>;

export function createDescribeScope({ policy, operatorTenants }: Deps): DescribeScope {
  return async (_, { caller }) => {
    const { source, allow, deny, maxHosts, maxIntensity, lastError } = policy.describe(caller);
    return {
      summary:
        allow.length === 0
          ? 'Nothing may be scanned. Operator: scanmux policy allow <target>.'
          : `${allow.length} allowed, ${deny.length} denied; deny wins. At most ${maxHosts} hosts per scan, ${maxIntensity} at most.`,
      // The folder of the file is nobody's business but the operator's.
      source: source.startsWith('built-in') || operatesService(caller, operatorTenants) ? source : 'policy.yaml',
      allow,
      deny,
      max_hosts: maxHosts,
      max_intensity: maxIntensity,
      scopes: [...caller.scopes],
      ...(lastError === undefined ? {} : { last_error: lastError }),
    };
  };
}
