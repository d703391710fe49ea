import { randomUUID } from 'node:crypto';
import type { Response } from 'express';
import type { Caller } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';

/** What a session holds besides its place in the list. */
export interface SessionContent {
  /** Ends what the session holds; the list has forgotten it by then. */
  close(): Promise<void>;
}

export interface McpSession<Content extends SessionContent> {
  readonly id: string;
  /** Answers that are being written: calls, and the stream of a client that listens. */
  readonly open: ReadonlySet<Response>;
  content: Content | undefined;
}

export interface SessionLimits {
  readonly maxSessions: number;
  readonly maxPerTenant: number;
  readonly idleMs: number;
}

export interface McpSessions<Content extends SessionContent> {
  /** Makes room if it must. @throws AppError rate_limited when every session is in use */
  begin(caller: Caller): McpSession<Content>;
  /** Undefined also when it belongs to somebody else. */
  find(sessionId: string, caller: Caller): McpSession<Content> | undefined;
  /** Counts an answer as open until it is closed. @throws AppError rate_limited when there are too many */
  occupy(session: McpSession<Content>, response: Response): void;
  end(sessionId: string): Promise<void>;
  /** Ends those nobody used for long enough. */
  expire(): Promise<void>;
  all(): readonly McpSession<Content>[];
}

/** A session that was used this recently is not taken away to make room. */
const IN_USE_MS = 60_000;
/** Answers one session may have open at once. */
const MAX_OPEN = 64;

interface Entry<Content extends SessionContent> extends McpSession<Content> {
  readonly tenant: string;
  readonly owner: string;
  readonly open: Set<Response>;
  usedAt: number;
}

/** Whose session it is: another caller's id answers like one that never was. */
const ownerOf = ({ tenant, name }: Caller): string => JSON.stringify([tenant, name]);

/** @param now Milliseconds of a clock that never goes back. */
export function createMcpSessions<Content extends SessionContent>(
  limits: SessionLimits,
  now: () => number,
): McpSessions<Content> {
  /** Least recently used first. */
  const byId = new Map<string, Entry<Content>>();

  const ofTenant = (tenant: string) => [...byId.values()].filter((entry) => entry.tenant === tenant);
  const end = async (sessionId: string): Promise<void> => {
    const entry = byId.get(sessionId);
    byId.delete(sessionId);
    await entry?.content?.close();
  };
  const makeRoomAmong = (entries: readonly Entry<Content>[], whose: string): void => {
    const [oldest] = entries.filter(({ open }) => open.size === 0);
    const idleMs = oldest ? now() - oldest.usedAt : 0;
    if (!oldest || idleMs < IN_USE_MS) throw tooMany(whose, oldest ? IN_USE_MS - idleMs : IN_USE_MS);
    void end(oldest.id);
  };
  const touch = (entry: Entry<Content>): void => {
    entry.usedAt = now();
    if (byId.delete(entry.id)) byId.set(entry.id, entry);
  };

  return {
    begin(caller) {
      const own = ofTenant(caller.tenant);
      if (own.length >= limits.maxPerTenant) makeRoomAmong(own, 'of this tenant');
      else if (byId.size >= limits.maxSessions) makeRoomAmong(largest([...byId.values()]), 'of this server');
      const entry: Entry<Content> = {
        id: randomUUID(),
        tenant: caller.tenant,
        owner: ownerOf(caller),
        open: new Set(),
        content: undefined,
        usedAt: now(),
      };
      byId.set(entry.id, entry);
      return entry;
    },
    find(sessionId, caller) {
      const entry = byId.get(sessionId);
      return entry?.owner === ownerOf(caller) ? entry : undefined;
    },
    occupy({ id }, response) {
      const entry = byId.get(id);
      if (!entry) return;
      if (entry.open.size >= MAX_OPEN) throw tooMany('in flight in this session', 1_000);
      touch(entry);
      entry.open.add(response);
      response.once('close', () => {
        entry.open.delete(response);
        touch(entry);
      });
    },
    end,
    async expire() {
      const idle = [...byId.values()].filter(({ open, usedAt }) => open.size === 0 && now() - usedAt >= limits.idleMs);
      await Promise.all(idle.map(({ id }) => end(id)));
    },
    all: () => [...byId.values()],
  };
}

/** The sessions of the tenant with the most: whoever fills the server makes room for the others. */
function largest<T extends { readonly tenant: string }>(entries: readonly T[]): readonly T[] {
  const byTenant = new Map<string, T[]>();
  for (const entry of entries) {
    const own = byTenant.get(entry.tenant);
    if (own) own.push(entry);
    else byTenant.set(entry.tenant, [entry]);
  }
  return [...byTenant.values()].reduce((most, next) => (next.length > most.length ? next : most), []);
}

const tooMany = (what: string, waitMs: number): AppError =>
  new AppError('rate_limited', `There are too many MCP sessions or requests ${what}.`, {
    hint: 'End sessions that are no longer needed (DELETE), or try again later.',
    retryAfterSeconds: waitMs / 1000,
  });
