import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createStanding } from '../../src/http/auth/standing.ts';
import { anonymousOnLoopback } from '../../src/http/exposure.ts';
import type { ApiKey } from '../../src/queue/api-keys.ts';
import { newApiKey } from '../../src/model/api-key.ts';
import { SubmittedScan } from '../../src/model/contract/run.ts';
import { AppError, type ErrorCode } from '../../src/model/errors.ts';
import { silentLog } from '../../src/platform/log.ts';
import { authLab, type Lab } from './auth-lab.ts';
import { mcpLab, type McpLab } from './mcp-lab.ts';
import { startRest, type RestServer } from './rest-server.ts';
import { readEvents, type SseReader } from './sse-client.ts';

const OFTEN = { recheckMs: 5 } as const;
const RIGHTS = { tenant: 'local', scopes: ['scan:read', 'scan:run'] } as const satisfies Partial<ApiKey>;

const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const startedWith = ({ authenticator }: Lab): Promise<RestServer> => startRest({ deps: { authenticator } });

async function submitted(server: RestServer, key: string): Promise<string> {
  const answer = await server.post('/scans', { targets: ['127.0.0.1'] }, bearer(key));
  return SubmittedScan.parse(await answer.json()).scan_id;
}

/** A stream that has told the state of the scan, and waits. */
async function following(server: RestServer, scanId: string, key: string): Promise<SseReader> {
  const reader = await readEvents(`${server.url}/api/scans/${scanId}/events`, bearer(key));
  await reader.until(() => reader.events.length === 1);
  return reader;
}

describe('event streams of a scan', () => {
  it('end when their key is revoked, all of them, and those of another key go on', async () => {
    const lab = authLab({}, OFTEN);
    const [lost, kept] = [lab.makeKey(RIGHTS), lab.makeKey(RIGHTS)];
    const server = await startedWith(lab);
    const scanId = await submitted(server, kept.text);
    const [one, two, other] = await Promise.all([lost, lost, kept].map(({ text }) => following(server, scanId, text)));
    lab.revoke(lost);
    await Promise.all([one?.ended, two?.ended]);
    const url = `${server.url}/api/scans/${scanId}/events`;
    expect((await fetch(url, { headers: { ...bearer(lost.text), 'last-event-id': '1' } })).status).toBe(401);
    await server.post(`/scans/${scanId}/cancel`, undefined, bearer(kept.text));
    await other?.until(() => other.events.at(-1)?.data.final === true);
    expect([one?.events.length, two?.events.length]).toEqual([1, 1]);
  });

  it('end when their key expires, also where others are let in without one', async () => {
    const lab = authLab({}, OFTEN);
    const { text } = lab.makeKey({ ...RIGHTS, expiresAt: lab.clock.now() + 60_000 });
    const server = await startRest({ deps: { authenticator: anonymousOnLoopback(lab.authenticator) } });
    const scanId = await submitted(server, text);
    const ours = await following(server, scanId, text);
    const nobodys = await readEvents(`${server.url}/api/scans/${scanId}/events`, {});
    lab.clock.advance(60_000);
    await ours.ended;
    await nobodys.until(() => nobodys.events.length === 1);
    await server.post(`/scans/${scanId}/cancel`, undefined, bearer(lab.makeKey(RIGHTS).text));
    await nobodys.until(() => nobodys.events.length === 2);
  });

  it('go on while nobody can say whether their key holds', async () => {
    const state = { isAway: false, asked: 0 };
    const stored = new Map<string, ApiKey>();
    const keys = {
      add: () => Promise.resolve(),
      list: () => Promise.resolve([]),
      revoke: () => Promise.resolve(false),
      find: (sha256: string) => {
        state.asked += 1;
        return state.isAway
          ? Promise.reject(new AppError('queue_unavailable', 'away'))
          : Promise.resolve(stored.get(sha256));
      },
    };
    const lab = authLab({}, { ...OFTEN, keys });
    const key = lab.makeKey(RIGHTS);
    for (const [sha256, made] of lab.stored) stored.set(sha256, made);
    const server = await startedWith(lab);
    const scanId = await submitted(server, key.text);
    const reader = await following(server, scanId, key.text);
    state.isAway = true;
    stored.clear();
    lab.clock.advance(1_000);
    const before = state.asked;
    await expect.poll(() => state.asked, { interval: 5, timeout: 20_000 }).toBeGreaterThan(before + 3);
    expect(reader.response.destroyed).toBe(false);
    await server.app.queue.cancel('local', scanId);
    await reader.until(() => reader.events.length === 2);
  });

  it('are asked about once for all of a key, cost it no request, and count as no wrong key', async () => {
    const lab = authLab({ requests_per_minute: 4, failed_logins_per_minute: 1 }, OFTEN);
    const key = lab.makeKey(RIGHTS);
    const scanner = lab.makeKey(RIGHTS);
    const server = await startedWith(lab);
    const scanId = await submitted(server, scanner.text);
    const readers = await Promise.all([1, 2, 3].map(() => following(server, scanId, key.text)));
    const before = lab.asked.count;
    lab.clock.advance(1_000);
    await expect.poll(() => lab.asked.count, { interval: 5, timeout: 20_000 }).toBe(before + 1);
    // A second gave back a fifteenth of a request: there is the fourth, and no fifth.
    const statuses = [];
    for (let n = 0; n < 2; n += 1) statuses.push((await server.get(`/scans/${scanId}`, bearer(key.text))).status);
    expect(statuses).toEqual([200, 429]);
    lab.revoke(key);
    await Promise.all(readers.map(({ ended }) => ended));
    expect(lab.audited).toEqual([]);
    const wrong = await server.get(`/scans/${scanId}`, bearer(newApiKey().text));
    expect(wrong.status).toBe(401);
  });
});

describe('what a caller has open', () => {
  const response = (): ServerResponse => new ServerResponse(new IncomingMessage(new Socket()));

  it('is forgotten once it is over, and its key asked about no more', async () => {
    const asked: string[] = [];
    const login = async (authorization: string): Promise<void> => void asked.push(authorization);
    const standing = createStanding({ login, log: silentLog, ...OFTEN });
    const [over, open] = [response(), response()];
    standing.enter('over', over).delete(over);
    const entered = standing.enter('open', open);
    onTestFinished(() => void entered.delete(open));
    await expect.poll(() => asked.length, { interval: 5, timeout: 20_000 }).toBeGreaterThan(2);
    expect(new Set(asked)).toEqual(new Set(['open']));
  });

  it('is cut off only where the login is refused, and waits for no login of others', async () => {
    const refuse = (code: ErrorCode) => () => Promise.reject(new AppError(code, 'no'));
    const logins: Readonly<Record<string, () => Promise<unknown>>> = {
      silent: () => new Promise(() => undefined),
      away: refuse('issuer_unavailable'),
      broken: () => Promise.reject(new TypeError('a defect')),
      good: () => Promise.resolve(),
      gone: refuse('unauthenticated'),
    };
    const login = (authorization: string) => logins[authorization]?.() ?? Promise.resolve();
    const standing = createStanding({ login, log: silentLog, ...OFTEN });
    const open = Object.keys(logins).map((name) => ({ name, response: response() }));
    for (const each of open) {
      const entered = standing.enter(each.name, each.response);
      onTestFinished(() => void entered.delete(each.response));
    }
    const cut = () => open.filter(({ response: { destroyed } }) => destroyed).map(({ name }) => name);
    await expect.poll(cut, { interval: 5, timeout: 20_000 }).toEqual(['gone']);
    const late = response();
    const entered = standing.enter('gone', late);
    onTestFinished(() => void entered.delete(late));
    await expect.poll(() => late.destroyed, { interval: 5, timeout: 20_000 }).toBe(true);
    expect(cut()).toEqual(['gone']);
  });
});

/** Reads to the end, which may be a cut; resolves to what came. */
async function allOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes, { stream: true });
  } catch {
    // Cut off.
  }
  return text;
}

describe('answers at /mcp', () => {
  async function started() {
    const lab = authLab({}, OFTEN);
    const mcp = await mcpLab({ authenticator: lab.authenticator });
    const call = { name: 'run_untrusted_scan', arguments: { targets: ['127.0.0.1'] } };
    return { lab, mcp, call };
  }
  const listening = async ({ url }: McpLab, sessionId: string, key: string): Promise<Response> => {
    const headers = { ...bearer(key), accept: 'text/event-stream', 'mcp-session-id': sessionId };
    return fetch(`${url}/mcp`, { headers });
  };

  it('end when their key is revoked: of who listens, and of a call that waits', async () => {
    const { lab, mcp, call } = await started();
    const [lost, kept] = [lab.makeKey(RIGHTS), lab.makeKey(RIGHTS)];
    const [lostId, keptId] = [await mcp.begin(bearer(lost.text)), await mcp.begin(bearer(kept.text))];
    const made = await mcp.post(
      { jsonrpc: '2.0', id: 6, method: 'tools/call', params: call },
      { ...bearer(kept.text), 'mcp-session-id': keptId },
    );
    const [, scanId] = /"scan_id":"([^"]+)"/.exec(await made.text()) ?? [];
    const params = { name: 'wait_for_scan', arguments: { scan_id: scanId, wait_seconds: 50 } };
    const waiting = (key: string, id: string): Promise<Response> =>
      mcp.post({ jsonrpc: '2.0', id: 7, method: 'tools/call', params }, { ...bearer(key), 'mcp-session-id': id });
    const [lostStream, lostCall] = [await listening(mcp, lostId, lost.text), await waiting(lost.text, lostId)];
    const [keptStream, keptCall] = [await listening(mcp, keptId, kept.text), await waiting(kept.text, keptId)];
    expect([lostStream, lostCall, keptStream, keptCall].map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    lab.revoke(lost);
    const [, cut] = await Promise.all([allOf(lostStream), allOf(lostCall)]);
    expect(cut).not.toContain('"result"');
    expect((await listening(mcp, lostId, lost.text)).status).toBe(401);
    await mcp.app.queue.cancel('local', scanId ?? '');
    expect(await allOf(keptCall)).toContain('"result"');
    expect(keptStream.body?.locked).toBe(false);
    await keptStream.body?.cancel();
  });
});
