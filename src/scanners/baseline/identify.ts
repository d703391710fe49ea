import { MAX_BANNER_BYTES } from './limits.ts';
import type { Lane } from './lane.ts';
import { isPrinterPort } from './ports.ts';
import { shakeHands, type Handshake } from './handshake.ts';
import { memcachedAnswers, redisAnswers } from './services.ts';
import type { Observation } from './observation.ts';
import { exchange, type Endpoint, type Exchange, type Waits } from './wire.ts';

/** What an open port turned out to be. */
export interface Service {
  readonly endpoint: Endpoint;
  /** Our word for it; undefined when nothing known answered. */
  readonly name?: string;
  readonly tls?: Handshake;
  readonly speaksHttp: boolean;
  /** First bytes, as the service wrote them. */
  readonly banner?: string;
  /** Proved while asking. */
  readonly observations: readonly Observation[];
}

export interface IdentifyContext {
  readonly lane: Lane;
  readonly waits: Waits;
  /** Server name for TLS; undefined for addresses. */
  readonly servername: string | undefined;
  readonly hostHeader: string;
  /** Whether greetings of other protocols may be tried on unknown ports. */
  readonly triesMore: boolean;
}

/** How services greet, first match wins. */
const GREETINGS: readonly (readonly [RegExp, string])[] = [
  [/^SSH-/, 'ssh'],
  [/^220[ -].*\bFTP\b/i, 'ftp'],
  [/^220[ -]/, 'smtp'],
  [/^\+OK /, 'pop3'],
  [/^\* OK /, 'imap'],
  [/^RFB \d/, 'vnc'],
  // A handshake packet of protocol 10: length, sequence number 0, then the version text.
  [/^.{3}\0\n[\d.]+/s, 'mysql'],
];

/** Ports whose services greet first, or take a question of their own, before anything else is tried. */
const GREETS_FIRST: ReadonlySet<number> = new Set([21, 22, 23, 25, 110, 143, 587, 2222, 3306, 5900]);
const REDIS_PORTS: ReadonlySet<number> = new Set([6_379, 6_380, 16_379]);
const MEMCACHED_PORT = 11_211;

/** Finds out what an open port speaks with a few harmless questions. Undefined: the limits left no room. */
export async function identify(endpoint: Endpoint, context: IdentifyContext): Promise<Service | undefined> {
  const nothing: Service = { endpoint, speaksHttp: false, observations: [] };
  if (isPrinterPort(endpoint.port)) return { ...nothing, name: 'printer' };
  const early = await byPort(endpoint, context);
  if (early) return { ...nothing, ...early };

  const tls = await context.lane.ask(() => shakeHands(endpoint, tlsQuestion(context), context.lane.signal));
  if (!tls) return undefined;
  if (tls.outcome === 'secure' || tls.outcome === 'refused')
    return { ...nothing, name: 'tls', tls, speaksHttp: tls.outcome === 'secure' };

  return askPlainly(endpoint, context, tls.outcome === 'silence');
}

/** A plain GET makes most services answer, if only with an error that gives them away. */
async function askPlainly(
  endpoint: Endpoint,
  context: IdentifyContext,
  wasSilent: boolean,
): Promise<Service | undefined> {
  const nothing: Service = { endpoint, speaksHttp: false, observations: [] };
  const question = `GET / HTTP/1.1\r\nHost: ${context.hostHeader}\r\nConnection: close\r\n\r\n`;
  const answer = await say(endpoint, context, question);
  if (!answer) return undefined;
  const text = answer.bytes.toString('latin1');
  if (text.startsWith('HTTP/')) return { ...nothing, name: 'http', speaksHttp: true };
  const greeted = fromGreeting(text);
  const isSilent = wasSilent && answer.ending === 'silence' && text === '';
  if (greeted.name !== undefined || isSilent || !context.triesMore) return { ...nothing, ...greeted };
  return { ...nothing, ...greeted, ...(await moreQuestions(endpoint, context)) };
}

const tlsQuestion = ({ waits, servername }: IdentifyContext) => ({
  ...waits,
  ...(servername === undefined ? {} : { servername }),
});

const say = (
  endpoint: Endpoint,
  { lane, waits }: IdentifyContext,
  send: string | undefined,
): Promise<Exchange | undefined> =>
  lane.ask(() =>
    exchange(
      endpoint,
      {
        ...waits,
        maxBytes: MAX_BANNER_BYTES,
        ...(send === undefined ? {} : { send }),
        isEnough: (bytes) => bytes.includes('\n'),
      },
      lane.signal,
    ),
  );

function fromGreeting(text: string): { name?: string; banner?: string } {
  const name = GREETINGS.find(([pattern]) => pattern.test(text))?.[1];
  return { ...(name === undefined ? {} : { name }), ...(text === '' ? {} : { banner: text }) };
}

async function byPort(endpoint: Endpoint, context: IdentifyContext): Promise<Partial<Service> | undefined> {
  if (REDIS_PORTS.has(endpoint.port)) return redisAnswers(endpoint, context.lane, context.waits);
  if (endpoint.port === MEMCACHED_PORT) return memcachedAnswers(endpoint, context.lane, context.waits);
  if (!GREETS_FIRST.has(endpoint.port)) return undefined;
  const greeting = fromGreeting((await say(endpoint, context, undefined))?.bytes.toString('latin1') ?? '');
  return greeting.name === undefined ? undefined : greeting;
}

const moreQuestions = async (endpoint: Endpoint, { lane, waits }: IdentifyContext): Promise<Partial<Service>> =>
  (await redisAnswers(endpoint, lane, waits)) ?? (await memcachedAnswers(endpoint, lane, waits)) ?? {};
