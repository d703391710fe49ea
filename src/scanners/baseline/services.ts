import type { Lane } from './lane.ts';
import { MAX_BANNER_BYTES } from './limits.ts';
import type { Observation } from './observation.ts';
import type { HttpAnswer } from './web-client.ts';
import { exchange, type Endpoint, type Waits } from './wire.ts';

/** What a service said of itself, and what that proves. */
export interface Greeted {
  readonly name: string;
  readonly banner?: string;
  readonly observations: readonly Observation[];
}

async function askLine(
  endpoint: Endpoint,
  lane: Lane,
  waits: Waits,
  question: { readonly send: string; readonly isEnough: (text: string) => boolean },
): Promise<string> {
  const answer = await lane.ask(() =>
    exchange(
      endpoint,
      {
        ...waits,
        send: question.send,
        maxBytes: MAX_BANNER_BYTES,
        isEnough: (bytes) => question.isEnough(bytes.toString('latin1')),
      },
      lane.signal,
    ),
  );
  return answer?.bytes.toString('latin1') ?? '';
}

const hasLine = (text: string): boolean => text.includes('\r\n');

/**
 * Redis by PING, then INFO, which reads only. Undefined when it is none.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/ (inline commands).
 */
export async function redisAnswers(endpoint: Endpoint, lane: Lane, waits: Waits): Promise<Greeted | undefined> {
  const pong = await askLine(endpoint, lane, waits, { send: 'PING\r\n', isEnough: hasLine });
  if (/^-(NOAUTH|DENIED|NOPERM|LOADING)\b/.test(pong)) return { name: 'redis', observations: [] };
  if (!pong.startsWith('+PONG')) return undefined;
  const told = await askLine(endpoint, lane, waits, {
    send: 'INFO server\r\n',
    isEnough: (text) => /redis_version:.*\r\n/.test(text) || /^[-+].*\r\n/.test(text),
  });
  const version = /redis_version:[^\r\n]{1,50}/.exec(told)?.[0];
  if (version === undefined) return { name: 'redis', observations: [] };
  const proof: Observation = { rule: 'open-redis', confidence: 'certain', untrusted: { output: version } };
  return { name: 'redis', banner: version, observations: [proof] };
}

/** Memcached by its command `version`. Source: protocol.txt of memcached 1.6. */
export async function memcachedAnswers(endpoint: Endpoint, lane: Lane, waits: Waits): Promise<Greeted | undefined> {
  const told = await askLine(endpoint, lane, waits, { send: 'version\r\n', isEnough: hasLine });
  const version = /^VERSION [\w.-]{1,50}/.exec(told)?.[0];
  if (version === undefined) {
    return /^(CLIENT_ERROR|ERROR) ?unauthenticated/.test(told) ? { name: 'memcached', observations: [] } : undefined;
  }
  const proof: Observation = { rule: 'open-memcached', confidence: 'certain', untrusted: { output: version } };
  return { name: 'memcached', banner: version, observations: [proof] };
}

function field(body: string, key: string): unknown {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null) return undefined;
    return new Map<string, unknown>(Object.entries(value)).get(key);
  } catch {
    return undefined;
  }
}

/** Elasticsearch names its cluster at the root when nobody asks for a password. */
export function judgeElasticsearch({ status, body }: HttpAnswer): Observation[] {
  if (status !== 200 || field(body, 'cluster_name') === undefined || field(body, 'version') === undefined) return [];
  if (!/You Know, for Search|OpenSearch/.test(body)) return [];
  return [{ rule: 'open-elasticsearch', confidence: 'certain', service: 'elasticsearch' }];
}

/** Docker answers GET /version with its API version. */
export function judgeDocker({ status, body }: HttpAnswer): Observation[] {
  const version = field(body, 'ApiVersion');
  if (status !== 200 || typeof version !== 'string' || field(body, 'GoVersion') === undefined) return [];
  const untrusted = { output: `ApiVersion ${version.slice(0, 50)}` };
  return [{ rule: 'open-docker', confidence: 'certain', service: 'docker', untrusted }];
}
