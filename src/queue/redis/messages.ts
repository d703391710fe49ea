import type { Log } from '../../platform/log.ts';
import type { Purpose } from './client-options.ts';
import { watchConnection, type RedisClient } from './connection-watch.ts';

/** A message of a channel; undefined: some may have been missed, so look. */
export type Heard = (message: string | undefined) => void;

/** Messages of every process, over one connection that is opened when somebody first listens. */
export interface Messages {
  /** Calls `heard` for every message on the channel until the returned function is called. */
  listen(channel: string, heard: Heard): () => void;
  /** Messages have been missed: opens another connection. */
  renew(): void;
  close(): void;
}

export function createMessages(connect: (purpose: Purpose) => RedisClient, log: Log | undefined): Messages {
  const listeners = new Map<string, Set<Heard>>();
  let client: RedisClient | undefined;
  let closed = false;

  const tellAll = (): void => {
    for (const group of listeners.values()) for (const heard of group) heard(undefined);
  };
  const subscribe = (channel: string): void => {
    // Where it fails the connection is gone, and the next one subscribes to everything anew.
    client?.subscribe(channel).then(tellAll, () => undefined);
  };
  const open = (): void => {
    const opened = connect('messages');
    client = opened;
    watchConnection(opened, 'messages', log);
    opened.on('message', (channel: string, message: string) => {
      for (const heard of listeners.get(channel) ?? []) heard(message);
    });
    opened.on('ready', () => {
      for (const channel of listeners.keys()) subscribe(channel);
    });
  };
  return {
    listen(channel, heard) {
      if (closed) return () => undefined;
      const group = listeners.get(channel) ?? new Set();
      listeners.set(channel, group);
      group.add(heard);
      if (!client) open();
      else if (group.size === 1 && client.status === 'ready') subscribe(channel);
      return () => void group.delete(heard);
    },
    renew() {
      const old = client;
      client = undefined;
      old?.disconnect();
      if (!closed && listeners.size > 0) open();
    },
    close() {
      closed = true;
      listeners.clear();
      client?.disconnect();
      client = undefined;
    },
  };
}
