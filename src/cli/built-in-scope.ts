import type { PolicySummary } from '../policy/policy.ts';

/**
 * Where the scope comes from. Without a file two hold at once, and a command only sees its own: servers over HTTP begin
 * with nothing.
 */
export const scopeSource = ({ source }: Pick<PolicySummary, 'source'>): string =>
  isBuiltIn({ source })
    ? 'built-in, as there is no policy.yaml (stdio and command line: loopback only; serve: nothing)'
    : source;

export const isBuiltIn = ({ source }: Pick<PolicySummary, 'source'>): boolean => source.startsWith('built-in');
