import type { Ask } from '../scans/deps.ts';
import type { UseCases } from '../scans/use-cases.ts';
import type { DownloadUrl } from './tool.ts';

/** Runs a call inside whatever takes note of it, e.g. a span of a trace. */
export type AroundCall = <T extends object>(
  call: { readonly tool: string; readonly traceId: string; readonly traceparent: unknown },
  body: () => Promise<T>,
) => Promise<T>;

/** What a message says of where it comes from. */
export interface Sender {
  /** What the transport knows. */
  readonly authInfo?: object | undefined;
  /** W3C Trace Context, where the client sends it. */
  readonly traceparent?: unknown;
}

/** What the parts of the bridge to MCP share: the use cases, opened at the first need, and who asks. */
export interface Bridge {
  readonly open: () => Promise<UseCases>;
  /** @param signal Aborts what is asked. */
  readonly ask: (signal: AbortSignal, sender?: Sender) => Ask;
  readonly around?: AroundCall | undefined;
  /** Aborts when the connection ends. */
  readonly closed: AbortSignal;
  /** Set where callers do not share our disk. */
  readonly downloadUrl?: DownloadUrl | undefined;
}
