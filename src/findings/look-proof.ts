import type { Place } from '../model/coverage.ts';
import type { Severity } from '../model/finding.ts';
import { intensityRank, type Intensity } from '../model/scan.ts';
import type { ReportScope } from '../model/report.ts';
import { addressOfKey, canonicalAddress } from './address-key.ts';
import { plainHostName } from './host-keys.ts';
import { accessNeeded, accessShown, isEnough } from './look-access.ts';
import { compileScopes, placeKey, portTried, ruleRan, type Scope, type ScopedRule } from './look-scope.ts';

/** What the record of a scan adds to what its findings file proves. */
export interface LookFacts {
  /** The engine came to its own end and its report was read to its end. */
  readonly endedWhole: boolean;
  readonly access: 'untrusted' | 'authenticated';
  readonly privilege?: 'user' | 'elevated';
  /** Absent where it is not known: a report made elsewhere. */
  readonly intensity?: Intensity;
  /** Set when only checks of these severities were asked for. */
  readonly severityLevels?: readonly Severity[];
}

/** Everything one scan shows of where and for what it looked. */
export interface ScanLook {
  readonly facts: LookFacts;
  readonly places: readonly Place[];
  readonly scopes: readonly ReportScope[];
  /** Whether the scan has findings at a host of this label: then it calls it so. */
  readonly hasLabel: (label: string) => boolean;
}

/** The place of a finding: a row of the table of hosts. */
export interface HostOfFinding {
  readonly label: string;
  /** Absent for images, files and packages. */
  readonly name?: string | undefined;
  /** A key of address-key.ts. */
  readonly addressKey?: string | undefined;
}

/** What a proof has to know of one finding. The functions read from disk: they are called only where it depends on them. */
export interface FindingInQuestion {
  readonly rule: ScopedRule & { readonly severity: Severity };
  /** 0 or less: none. */
  readonly port: number;
  readonly protocol: () => string | undefined;
  readonly url: () => string | undefined;
}

/** Proof of looks at one host. */
export interface HostProof {
  /** Where false, no finding at this host can be proven; nothing needs to be read. */
  readonly possible: boolean;
  proves(finding: FindingInQuestion): boolean;
}

export interface LookProof {
  at(host: HostOfFinding): HostProof;
}

const NO_PROOF: HostProof = { possible: false, proves: () => false };

interface UrlPlace {
  readonly port: number;
  readonly path: string;
}

/** A place of the scan that was looked at, with what ran there. */
interface Looked {
  readonly scopes: readonly Scope[];
  readonly url: UrlPlace | undefined;
  /** The other scan was asked for the very same place: what it found there, this one would have come across, too. */
  readonly isShared: boolean;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

function urlOf(text: string): (UrlPlace & { host: string }) | undefined {
  if (!text.includes('://') || !URL.canParse(text)) return undefined;
  const { hostname, port, protocol, pathname } = new URL(text);
  if (hostname === '') return undefined;
  const host = canonicalAddress(hostname) ?? plainHostName(hostname);
  return { host, port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port), path: pathname };
}

/** `/app` holds `/app`, `/app/x` and `/app?x`, not `/application`. */
const holds = (path: string, other: string): boolean =>
  other === path || other.startsWith(path.endsWith('/') ? path : `${path}/`);

const NEVER_LOOKED: Place = { place: '', status: 'not_tested' };

/**
 * What a scan proves to have looked for again: of each finding of `asker`, whether `prover` looked at that place for
 * that weakness, with access as good. The rules, in the order of docs/comparing.md: the prover came to its end and knew
 * what the asker knew; the
 * place was tested (where only in part, a scope that names the place must speak for it); login equal or better; port
 * tried; check ran. What is not said is not proven.
 */
export function createLookProof(prover: ScanLook, asker: ScanLook): LookProof {
  const { facts, places } = prover;
  if (!facts.endedWhole || prover.scopes.length === 0 || !knewAsMuch(prover, asker)) return { at: () => NO_PROOF };
  const isGentler = isBelow(facts.intensity, asker.facts.intensity);
  const scopes = compileScopes(prover.scopes);
  const asked = new Map(asker.places.map((place) => [placeKey(place.place), place]));
  const byKey = new Map(places.map((place) => [placeKey(place.place), place]));
  const urlsByHost = groupUrls(places);

  const scopesAt = (place: Place, host: HostOfFinding): readonly Scope[] => {
    const own = [...new Set([place.place, ...spellingsOf(host)])].flatMap((text) => scopes.of(text));
    // A place that was tested in part is only proven by what is said of it alone.
    if (place.status === 'partial') return own;
    return own.length === 0 ? scopes.everywhere : [...scopes.everywhere, ...own];
  };

  const look = (place: Place, host: HostOfFinding, url?: UrlPlace): Looked[] => {
    if (place.status !== 'tested' && place.status !== 'partial') return [];
    const other = asked.get(placeKey(place.place));
    const before = other ?? asked.get(placeKey(host.label)) ?? NEVER_LOOKED;
    const isCovered = isEnough(accessShown(facts, place), accessNeeded(asker.facts, before));
    const ran = isCovered ? scopesAt(place, host) : [];
    return ran.length === 0 ? [] : [{ scopes: ran, url, isShared: other !== undefined }];
  };

  const looksAt = (host: HostOfFinding): readonly Looked[] => {
    const place = placeAt(host, prover, byKey, asked);
    const urls = urlsByHost.get(host.label) ?? [];
    return [...(place ? look(place, host) : []), ...urls.flatMap(([there, url]) => look(there, host, url))];
  };

  return {
    at(host) {
      const looks = looksAt(host);
      if (looks.length === 0) return NO_PROOF;
      return {
        possible: true,
        proves: (finding) =>
          wasAsked(facts, finding) &&
          looks.some((one) => reaches(one, finding)) &&
          (!isGentler || finding.url() === undefined),
      };
    },
  };
}

/** Whether the engine of `prover` would have reported whatever the same engine reported to `asker`. */
function knewAsMuch(prover: ScanLook, asker: ScanLook): boolean {
  if (asker.scopes.some(({ reportsMore }) => reportsMore === true)) return false;
  return newestRules(prover) >= newestRules(asker);
}

/** Epoch milliseconds; -Infinity where no scope says of when its rules were. */
const newestRules = ({ scopes }: ScanLook): number =>
  scopes.reduce(
    (newest, { rulesAsOf }) => Math.max(newest, rulesAsOf === undefined ? newest : Date.parse(rulesAsOf)),
    -Infinity,
  );

/** At a lower intensity the same check of a web server asks for fewer paths, and no scope says for which. */
const isBelow = (intensity: Intensity | undefined, other: Intensity | undefined): boolean =>
  intensity !== undefined && other !== undefined && intensityRank(intensity) < intensityRank(other);

const wasAsked = ({ severityLevels: levels }: LookFacts, { rule }: FindingInQuestion): boolean =>
  levels === undefined || levels.includes(rule.severity);

/** The cheap questions come first: what has to be read from disk is asked last. */
function reaches({ scopes, url, isShared }: Looked, finding: FindingInQuestion): boolean {
  if (!ruleRan(scopes, finding.rule)) return false;
  if (finding.port > 0) {
    const isOwnPort = url?.port === finding.port;
    if (url ? !isOwnPort : !portTried(scopes, finding.port, finding.protocol)) return false;
  }
  if (isShared) return true;
  const found = finding.url();
  if (found === undefined) return true;
  const there = urlOf(found);
  // Of a host alone nothing is known about the pages of a web application somebody else named.
  return url !== undefined && there !== undefined && there.port === url.port && holds(url.path, there.path);
}

function groupUrls(places: readonly Place[]): ReadonlyMap<string, readonly (readonly [Place, UrlPlace])[]> {
  const found = new Map<string, [Place, UrlPlace][]>();
  for (const place of places) {
    const url = urlOf(place.place);
    if (url) found.set(url.host, [...(found.get(url.host) ?? []), [place, url]]);
  }
  return found;
}

/**
 * The place a finding lies at. A host is found by its label: the address of a name may be another one today, and a scan
 * that calls the host by its address gives its findings other fingerprints. Where a report lists hosts by address and
 * names them only in its findings, it must do so under the same name.
 */
function placeAt(
  host: HostOfFinding,
  { places, hasLabel }: ScanLook,
  byKey: ReadonlyMap<string, Place>,
  asked: ReadonlyMap<string, Place>,
): Place | undefined {
  const named = host.label === '' ? undefined : byKey.get(placeKey(host.label));
  if (named) return named;
  if (isNetworked(host)) return hasLabel(host.label) ? byKey.get(addressOf(host) ?? '') : undefined;
  // Files and packages belong to what was scanned: an image, a repository. Only a report about one thing says to which.
  const [sole, ...others] = places;
  return sole && others.length === 0 && asked.has(placeKey(sole.place)) ? sole : undefined;
}

const isNetworked = ({ name, addressKey: key }: HostOfFinding): boolean => name !== undefined || key !== undefined;

/** A scope may name a host by address where the place has the name it was asked for. */
function spellingsOf(host: HostOfFinding): readonly string[] {
  const address = addressOf(host);
  return address === undefined ? [host.label] : [host.label, address];
}

const addressOf = ({ addressKey: key }: HostOfFinding): string | undefined =>
  key === undefined ? undefined : addressOfKey(key);
