import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CompleteRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError, errorFacts } from '../model/errors.ts';
import type { Bridge } from './bridge.ts';
import { complete } from './completions.ts';
import { protocolError } from './mcp-failure.ts';
import { listResources, parseResource, readResource, RESOURCE_TEMPLATES } from './resources.ts';

/** Of one connection. */
const MOST_SUBSCRIPTIONS = 100;
/** After a failure of the queue that can pass. */
const TRY_AGAIN_MS = 1_000;

/** Of a request, as the SDK hands it on. */
interface From {
  readonly signal: AbortSignal;
  readonly authInfo?: object | undefined;
}

type OnDefect = (error: unknown) => void;

/** Resources, their templates and completion, and word of every change of a scan somebody subscribed to. */
export function serveResources(server: Server, bridge: Bridge, onDefect: OnDefect): void {
  const guarded = async <T>({ signal, authInfo }: From, body: (context: Context) => Promise<T>): Promise<T> => {
    try {
      return await body({ scans: await bridge.open(), ask: bridge.ask(signal, { authInfo }) });
    } catch (error) {
      throw protocolError(error, onDefect);
    }
  };
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: RESOURCE_TEMPLATES.map((template) => ({ ...template })),
  }));
  server.setRequestHandler(ListResourcesRequestSchema, ({ params }, from) =>
    guarded(from, async (context) => {
      const { resources, nextCursor } = await listResources(params?.cursor, context);
      return { resources: [...resources], ...(nextCursor === undefined ? {} : { nextCursor }) };
    }),
  );
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }, from) =>
    guarded(from, async (context) => ({ contents: [{ ...(await readResource(params.uri, context)) }] })),
  );
  server.setRequestHandler(CompleteRequestSchema, ({ params }, from) =>
    guarded(from, async (context) => ({ completion: { ...(await complete(params.argument, context)) } })),
  );
  serveSubscriptions(server, bridge, guarded);
}

type Context = Parameters<typeof readResource>[1];
type Guarded = <T>(from: From, body: (context: Context) => Promise<T>) => Promise<T>;

function serveSubscriptions(server: Server, bridge: Bridge, guarded: Guarded): void {
  const watched = new Map<string, AbortController>();
  server.setRequestHandler(SubscribeRequestSchema, ({ params: { uri } }, from) =>
    guarded(from, async ({ scans, ask }) => {
      const reference = parseResource(uri);
      if (reference?.kind !== 'status') {
        throw new AppError('invalid_request', 'Only scan://{scan_id} can be subscribed to.');
      }
      // Before the answer: nothing that happens after it is missed.
      const seen = await scans.newestEvent(reference.scanId, ask);
      if (watched.has(uri)) return {};
      if (watched.size >= MOST_SUBSCRIPTIONS) {
        throw new AppError('quota_exceeded', `One connection has at most ${MOST_SUBSCRIPTIONS} subscriptions.`, {
          hint: 'Unsubscribe from scans that have ended.',
        });
      }
      const stop = new AbortController();
      watched.set(uri, stop);
      const over = AbortSignal.any([stop.signal, bridge.closed]);
      void tell(server, bridge, { uri, scanId: reference.scanId, seen, over }).finally(() => watched.delete(uri));
      return {};
    }),
  );
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params: { uri } }) => {
    watched.get(uri)?.abort();
    return {};
  });
}

interface Watched {
  readonly uri: string;
  readonly scanId: string;
  /** Sequence number of the last event that the client has seen. */
  readonly seen: number;
  readonly over: AbortSignal;
}

/** Until the scan has ended, somebody unsubscribes or the connection ends. */
async function tell(server: Server, bridge: Bridge, { uri, scanId, seen: from, over }: Watched): Promise<void> {
  let seen = from;
  while (!over.aborted) {
    try {
      const scans = await bridge.open();
      for await (const { seq } of scans.watch(scanId, bridge.ask(over), seen)) {
        seen = seq;
        await server.sendResourceUpdated({ uri });
      }
      return;
    } catch (error) {
      if (!errorFacts(error).retryable || !(error instanceof AppError)) return;
      await delay(TRY_AGAIN_MS, undefined, { signal: over }).catch(() => undefined);
    }
  }
}
