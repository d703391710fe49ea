import { randomBytes } from 'node:crypto';
import type { Intensity } from '../../model/scan.ts';
import { exposuresFor, foldersFor, isListing } from './exposures.ts';
import { isPage, judgeHeaders, leadsToHttps, titleOf } from './headers.ts';
import type { Lane } from './lane.ts';
import { LATE_ANSWERS_PER_SITE } from './limits.ts';
import type { Observation } from './observation.ts';
import { judgeDocker, judgeElasticsearch } from './services.ts';
import { openWebClient, type HttpAnswer, type HttpResult, type Method, type WebOrigin } from './web-client.ts';
import type { Waits } from './wire.ts';

export interface WebContext {
  readonly lane: Lane;
  readonly waits: Waits;
  readonly origin: WebOrigin;
  /** The page that is asked for first; folders and files are looked for beside it, never above. */
  readonly path: string;
  readonly intensity: Intensity;
  /** Whether plain HTTP here is worth a finding. */
  readonly expectsHttps: boolean;
  readonly traceId: string;
}

export interface WebLook {
  /** Undefined when no HTTP answer came. */
  readonly page?: HttpAnswer;
  /** Why not, or why the look ended early. */
  readonly why?: string;
  readonly observations: readonly Observation[];
}

type Ask = (
  method: Method,
  path: string,
  headers?: Readonly<Record<string, string>>,
) => Promise<HttpResult | undefined>;

/** Everything that is asked of one web server, one request after the other on one connection. */
export async function inspectWeb(context: WebContext): Promise<WebLook> {
  const { lane, waits, origin, traceId } = context;
  const look = await lane.socket(async () => {
    const client = await openWebClient(origin, { waits, traceId }, lane.signal);
    try {
      return await lookPatiently(context, (method, path, headers) =>
        lane.request(() => client.request(method, path, headers)),
      );
    } finally {
      await client.close();
    }
  });
  return look ?? { observations: [], why: lane.shortOf ?? 'there was no time left' };
}

/** Looks until the site was late too often; what would be asked after that is not asked. */
async function lookPatiently(context: WebContext, ask: Ask): Promise<WebLook> {
  let late = 0;
  const look = await lookAround(context, async (...question) => {
    if (late >= LATE_ANSWERS_PER_SITE) return undefined;
    const result = await ask(...question);
    if (result?.isLate) late += 1;
    return result;
  });
  if (late < LATE_ANSWERS_PER_SITE) return look;
  return { ...look, why: `given up after ${late} requests without a whole answer in time` };
}

async function lookAround(context: WebContext, ask: Ask): Promise<WebLook> {
  const { origin, path, expectsHttps } = context;
  const first = await ask('GET', path);
  const page = first?.answer;
  if (!page) return { observations: [], why: first?.why ?? context.lane.shortOf ?? 'there was no time left' };
  const observations: Observation[] = [
    inventory(page),
    ...judgeHeaders(page, origin),
    ...judgeElasticsearch(page),
    ...(await judgeCors(ask, path)),
    ...(await judgeTrace(ask, path)),
  ];
  const isPlain = origin.scheme === 'http' && !leadsToHttps(page);
  if (isPlain && expectsHttps && isPage(page)) observations.push({ rule: 'http-no-https-redirect' });
  observations.push(...(await judgeContent(context, page, ask)));
  return { page, observations };
}

/** What the server says of itself; the place where an agent meets its words first. */
function inventory(page: HttpAnswer): Observation {
  const title = titleOf(page);
  const banner = page.headers.get('server')?.[0];
  // What follows the question mark may be a token.
  const location = page.headers.get('location')?.[0]?.split(/[?#]/)[0];
  return {
    rule: 'http-service',
    confidence: 'certain',
    untrusted: {
      ...(title === undefined ? {} : { title }),
      ...(banner === undefined ? {} : { banner }),
      response: `status ${page.status}${location === undefined ? '' : `, not followed: ${location}`}`,
    },
  };
}

async function judgeCors(ask: Ask, path: string): Promise<Observation[]> {
  // RFC 2606: nobody can own a name below .invalid.
  const invented = `https://scanmux-${randomBytes(6).toString('hex')}.invalid`;
  const headers = (await ask('GET', path, { origin: invented }))?.answer?.headers;
  const isReflected = headers?.get('access-control-allow-origin')?.includes(invented) ?? false;
  const isCredentialed =
    headers?.get('access-control-allow-credentials')?.some((text) => /^true$/i.test(text)) ?? false;
  return isReflected && isCredentialed ? [{ rule: 'http-cors-any-origin', confidence: 'certain' }] : [];
}

async function judgeTrace(ask: Ask, path: string): Promise<Observation[]> {
  const mark = randomBytes(8).toString('hex');
  const answer = (await ask('TRACE', path, { 'x-scanmux-trace': mark }))?.answer;
  const isEchoed = answer?.status === 200 && /^TRACE\s/.test(answer.body) && answer.body.includes(mark);
  return isEchoed ? [{ rule: 'http-trace-enabled', confidence: 'certain', method: 'TRACE' }] : [];
}

/**
 * Files, folders and APIs, each proved by its content. A path that cannot exist is asked for first: what proves
 * something there as well proves nothing.
 */
async function judgeContent(context: WebContext, page: HttpAnswer, ask: Ask): Promise<Observation[]> {
  const folder = context.path.slice(0, context.path.lastIndexOf('/') + 1) || '/';
  const nowhere = (await ask('GET', `${folder}${randomBytes(8).toString('hex')}`))?.answer;
  const around = { page, nowhere, ask };
  return [
    ...(await judgeExposures(context, folder, around)),
    ...(await judgeListings(context, folder, around)),
    ...(isPage(page) ? [] : await judgeApi(folder, ask)),
  ];
}

async function judgeExposures(
  { intensity }: WebContext,
  folder: string,
  { nowhere, ask }: Around,
): Promise<Observation[]> {
  const found: Observation[] = [];
  for (const { rule, path, proof } of exposuresFor(intensity)) {
    const answer = (await ask('GET', `${folder}${path}`))?.answer;
    const output = answer?.status === 200 ? proof(answer) : undefined;
    if (output === undefined || (nowhere && proof(nowhere) !== undefined)) continue;
    found.push({ rule, confidence: 'certain', path: `${folder}${path}`, untrusted: { output } });
  }
  return found;
}

async function judgeApi(folder: string, ask: Ask): Promise<Observation[]> {
  const path = `${folder}version`;
  const answer = (await ask('GET', path))?.answer;
  return answer ? judgeDocker(answer).map((seen) => ({ ...seen, path })) : [];
}

interface Around {
  readonly page: HttpAnswer;
  readonly nowhere: HttpAnswer | undefined;
  readonly ask: Ask;
}

async function judgeListings(
  { intensity }: WebContext,
  folder: string,
  { page, nowhere, ask }: Around,
): Promise<Observation[]> {
  if (nowhere && isListing(nowhere)) return [];
  const listed: Observation[] = isListing(page) ? [{ rule: 'http-directory-listing', confidence: 'certain' }] : [];
  for (const name of foldersFor(intensity)) {
    const answer = (await ask('GET', `${folder}${name}`))?.answer;
    if (answer && isListing(answer))
      listed.push({ rule: 'http-directory-listing', confidence: 'certain', path: `${folder}${name}` });
  }
  return listed;
}
