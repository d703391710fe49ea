import type { Place } from '../../model/coverage.ts';
import type { ReportScope } from '../../model/report.ts';
import type { Location } from '../../model/finding.ts';
import type { Intensity } from '../../model/scan.ts';
import type { Clock } from '../../platform/clock.ts';
import { settleAll } from './gate.ts';
import { shakeHands } from './handshake.ts';
import { identify, type Service } from './identify.ts';
import type { Lane } from './lane.ts';
import type { Notes } from './notes.ts';
import type { Observation } from './observation.ts';
import type { PlannedPlace } from './places.ts';
import { reach } from './reach.ts';
import type { RuleName } from './rules/table.ts';
import { scopeOfLook } from './scope.ts';
import { inspectTls } from './tls-checks.ts';
import { inspectWeb } from './web-checks.ts';
import { originText, type WebOrigin } from './web-client.ts';
import type { Endpoint, Waits } from './wire.ts';

export interface LookContext {
  readonly lane: Lane;
  readonly waits: Waits;
  readonly traceId: string;
  readonly intensity: Intensity;
  readonly clock: Clock;
  readonly notes: Notes;
  /** Called at the first positive evidence. */
  readonly evidence: () => void;
  readonly found: (location: Location, observation: Observation) => Promise<void>;
  readonly advanced: (share: number, phase: string) => void;
}

export interface Looked {
  readonly place: Place;
  /** Only of a place that was looked at to the end: what a look that was cut short left out is not written down. */
  readonly scope?: ReportScope;
}

/** Looks at one place from its ports to its web pages. What the limits left out makes it partial. */
export async function lookAt(place: PlannedPlace, context: LookContext): Promise<Looked> {
  const { lane, notes } = context;
  const advanced = (share: number): void => context.advanced(share * 0.4, 'looking for open ports');
  const reached = await reach(place, { ...context, advanced, tried: (port) => notes.tried(port) });
  const unreachable = whyUnreachable(place, reached);
  if (unreachable !== undefined) return { place: { place: place.place, status: 'unreachable', reason: unreachable } };
  context.evidence();

  const shortfalls: string[] = reached.silent.length > 0 ? [silenceOf(reached.silent)] : [];
  if (place.leftOut > 0) shortfalls.push(`${place.leftOut} more addresses of the name were left out`);
  const services = await settleAll(reached.open.map((endpoint) => recognise(endpoint, place, context)));
  const notRun = new Set<RuleName>();
  let done = 0;
  const isHttpsOffered = services.some(({ tls, speaksHttp }) => tls !== undefined && speaksHttp);
  await settleAll(
    services.map(async (service) => {
      const shortfall = await inspect(service, place, { ...context, isHttpsOffered, notRun });
      if (shortfall !== undefined) shortfalls.push(shortfall);
      done += 1;
      context.advanced(0.4 + (0.6 * done) / services.length, 'checking services');
    }),
  );
  const why = lane.shortOf ?? shortfalls[0];
  return why === undefined
    ? { place: { place: place.place, status: 'tested' }, scope: scopeOfLook(place, context.intensity, notRun) }
    : { place: { place: place.place, status: 'partial', reason: why } };
}

const SHOWN_ADDRESSES = 3;

/** Each address of a name was asked for: one that said nothing may hold anything. */
function silenceOf(addresses: readonly string[]): string {
  const more = addresses.length > SHOWN_ADDRESSES ? ` and ${addresses.length - SHOWN_ADDRESSES} more addresses` : '';
  return `no answer from ${addresses.slice(0, SHOWN_ADDRESSES).join(', ')}${more}; other addresses of the name answered`;
}

/** For a URL only an open port counts: nothing can be said of a page that nobody serves. */
function whyUnreachable(
  { web, ports }: PlannedPlace,
  { open, isEvidence, why }: Awaited<ReturnType<typeof reach>>,
): string | undefined {
  if (!isEvidence) return why;
  return web && open.length === 0 ? `connection refused on port ${ports[0]}` : undefined;
}

const locationOf = (place: PlannedPlace, { address, port }: Endpoint, service: string | undefined): Location => ({
  ...(place.isAddress ? {} : { host: place.name }),
  ip: address,
  port,
  protocol: 'tcp',
  ...(service === undefined ? {} : { service }),
});

const originOf = (place: PlannedPlace, endpoint: Endpoint, scheme: 'http' | 'https'): WebOrigin => ({
  ...endpoint,
  scheme,
  name: place.name,
  isAddress: place.isAddress,
});

/** Finds out what an open port is, and reports it unless the target was a URL, which names it already. */
async function recognise(endpoint: Endpoint, place: PlannedPlace, context: LookContext): Promise<Service> {
  const { lane, waits, notes, intensity } = context;
  const unknown: Service = { endpoint, speaksHttp: false, observations: [] };
  const servername = place.isAddress ? undefined : place.name;
  if (place.web?.scheme === 'http') return { ...unknown, name: 'http', speaksHttp: true };
  if (place.web) {
    const tls = await lane.ask(() =>
      shakeHands(endpoint, { ...waits, ...(servername ? { servername } : {}) }, lane.signal),
    );
    return { ...unknown, name: 'https', speaksHttp: true, ...(tls ? { tls } : {}) };
  }
  notes.ran('services');
  notes.ran('open');
  const hostHeader = new URL(originText(originOf(place, endpoint, 'http'))).host;
  const triesMore = intensity !== 'light';
  const service = (await identify(endpoint, { lane, waits, servername, hostHeader, triesMore })) ?? unknown;
  const untrusted = service.banner === undefined ? {} : { banner: service.banner };
  await context.found(locationOf(place, endpoint, service.name), {
    rule: 'tcp-open',
    confidence: 'certain',
    untrusted,
  });
  for (const observation of service.observations)
    await context.found(locationOf(place, endpoint, service.name), observation);
  return service;
}

interface InspectContext extends LookContext {
  readonly isHttpsOffered: boolean;
  /** Checks that could not be made although their kind was. */
  readonly notRun: Set<RuleName>;
}

/** Runs the checks a service calls for. Returns what could not be done, in our words. */
async function inspect(service: Service, place: PlannedPlace, context: InspectContext): Promise<string | undefined> {
  const { endpoint, tls } = service;
  if (tls) {
    const shortfall = await inspectSecure(service, place, context);
    if (shortfall !== undefined) return shortfall;
  }
  if (!service.speaksHttp) return undefined;
  const scheme = tls ? 'https' : (place.web?.scheme ?? 'http');
  const { why, isSite } = await inspectSite(endpoint, originOf(place, endpoint, scheme), place, context);
  // A TLS port need not be a web server; one that was asked for as a URL, or spoke HTTP before, must be.
  const isExpected = place.web !== undefined || !tls || isSite;
  return isExpected && why !== undefined ? `HTTP on port ${endpoint.port}: ${why}` : undefined;
}

async function inspectSecure(
  { endpoint, tls }: Service,
  place: PlannedPlace,
  context: InspectContext,
): Promise<string | undefined> {
  const { lane, waits, notes, clock, notRun } = context;
  if (tls === undefined) return undefined;
  if (tls.outcome === 'not_tls' || tls.outcome === 'silence')
    return `TLS on port ${endpoint.port}: the service did not answer with TLS`;
  notes.ran('tls');
  const observations = await inspectTls(endpoint, tls, {
    lane,
    waits,
    name: place.name,
    isAddress: place.isAddress,
    now: clock.now(),
    skipped(what, rules) {
      notes.skipped(what);
      for (const rule of rules) notRun.add(rule);
    },
  });
  for (const observation of observations) await context.found(locationOf(place, endpoint, 'tls'), observation);
  return undefined;
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** Whether a web server answered, and why it did not or was not looked at to the end. */
async function inspectSite(
  endpoint: Endpoint,
  origin: WebOrigin,
  place: PlannedPlace,
  context: InspectContext,
): Promise<{ readonly isSite: boolean; readonly why: string | undefined }> {
  const { lane, waits, traceId, intensity, notes, isHttpsOffered } = context;
  const path = place.web?.path ?? '/';
  const expectsHttps = isHttpsOffered || !isLoopback(endpoint.address);
  const { page, why, observations } = await inspectWeb({ lane, waits, traceId, origin, path, intensity, expectsHttps });
  if (!page) return { isSite: false, why: why ?? 'no answer' };
  if (page.status >= 300 && page.status < 400)
    notes.skipped('pages behind a redirect: redirects are not followed; scan the address they lead to');
  notes.ran('http');
  notes.ran('exposure');
  notes.ran('open');
  for (const observation of observations) {
    const url = `${originText(origin)}${observation.path ?? path}`;
    const at = locationOf(place, endpoint, observation.service ?? origin.scheme);
    await context.found({ ...at, url }, observation);
  }
  return { isSite: true, why };
}
