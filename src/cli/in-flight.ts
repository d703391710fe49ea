import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';

/** Requests of the client that have no answer yet. */
export interface InFlight {
  /** Resolves when every request is answered, or after `patienceMs`. */
  settled(patienceMs: number): Promise<void>;
}

/** Watches a connected transport. The SDK answers no request that the client cancelled, so those do not count. */
export function watchInFlight(transport: Transport): InFlight {
  const open = new Set<RequestId>();
  let onEmpty: () => void = () => undefined;
  const forget = (id: RequestId | undefined): void => {
    if (id !== undefined && open.delete(id) && open.size === 0) onEmpty();
  };

  const { onmessage } = transport;
  transport.onmessage = (message, extra) => {
    if (isRequest(message)) open.add(message.id);
    else forget(cancelledBy(message));
    onmessage?.(message, extra);
  };
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    await send(message, options);
    if (!('method' in message)) forget(message.id);
  };

  return {
    async settled(patienceMs) {
      if (open.size === 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patienceMs);
        onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}

const isRequest = (message: JSONRPCMessage): message is Extract<JSONRPCMessage, { method: string; id: RequestId }> =>
  'method' in message && 'id' in message;

function cancelledBy(message: JSONRPCMessage): RequestId | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  const id = message.params?.['requestId'];
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}
