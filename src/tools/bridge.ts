import type { Ask } from '../scans/deps.ts';
import type { UseCases } from '../scans/use-cases.ts';
import type { DownloadUrl } from './tool.ts';

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
  /** Aborts when the connection ends. */
  readonly closed: AbortSignal;
  /** Set where callers do not share our disk. */
  readonly downloadUrl?: DownloadUrl | undefined;
}
