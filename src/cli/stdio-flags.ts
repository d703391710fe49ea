import { parseArgs } from 'node:util';
import type { Globals } from './session.ts';

export interface StdioFlags {
  readonly globals: Globals;
  readonly inProcess: boolean;
}

const OPTIONS = {
  config: { type: 'string' },
  data: { type: 'string' },
  'in-process': { type: 'boolean' },
} as const;

/**
 * The flags of the MCP server when these arguments start one; undefined when they need the command line proper
 * (a command, `--help`, a mistake).
 */
export function stdioFlags(argv: readonly string[]): StdioFlags | undefined {
  try {
    const { config, data, 'in-process': inProcess = false } = parseArgs({ args: [...argv], options: OPTIONS }).values;
    if (config === '' || data === '') return undefined;
    const globals = { ...(config === undefined ? {} : { config }), ...(data === undefined ? {} : { data }) };
    return { globals, inProcess };
  } catch {
    return undefined;
  }
}
