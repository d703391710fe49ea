import type { Ask } from '../scans/deps.ts';
import type { UseCases } from '../scans/use-cases.ts';

/** What the parts of the bridge to MCP share: the use cases, opened at the first need, and who asks. */
export interface Bridge {
  readonly open: () => Promise<UseCases>;
  /** @param signal Aborts what is asked. @param traceparent W3C Trace Context, where the client sends it. */
  readonly ask: (signal: AbortSignal, traceparent?: unknown) => Ask;
  /** Aborts when the connection ends. */
  readonly closed: AbortSignal;
}
