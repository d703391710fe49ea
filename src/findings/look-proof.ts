import { Lack } from '../model/contract/compare.ts';
import type { Place } from '../model/coverage.ts';
import type { Severity } from '../model/finding.ts';
import { intensityRank, type Intensity } from '../model/scan.ts';
import type { ReportScope } from '../model/report.ts';
import { addressOfKey, canonicalAddress } from './address-key.ts';
import { plainHostName } from './host-keys.ts';
import { accessNeeded, accessShown, isEnough } from './look-access.ts';
import { isPortClosed, isPortProven, type PortItems, type PortLook } from './look-ports.ts';
import { compileScopes, placeKey, ruleRan, type Scope, type ScopedRule, type Scopes } from './look-scope.ts';

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
  /** Whether findings at this address (a key of address-key.ts) have a name instead, because that was asked for, too. */
  readonly namesAddress: (addressKey: string) => boolean;
  /** Ports of a host at which the scan has findings. */
  readonly portsAt: (host: HostOfFinding) => PortItems;
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
  /** Set where no finding at this host can be proven; nothing needs to be read. */
  readonly lacks: Lack | undefined;
  /** What is lacking to prove that the finding was looked for; undefined: it was. */
  lackOf(finding: FindingInQuestion): Lack | undefined;
}

export interface LookProof {
  at(host: HostOfFinding): HostProof;
}

const noProof = (lacks: Lack): HostProof => ({ lacks, lackOf: () => lacks });

/** Of several looks, what the one lacks that came nearest. */
const nearest = (lacks: readonly Lack[], none: Lack): Lack =>
  Lack.options.findLast((lack) => lacks.includes(lack)) ?? none;

interface UrlPlace {
  readonly port: number;
  readonly path: string;
}

/** A place of the scan that was looked at, with what ran there. */
interface Looked extends PortLook {
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
  if (!facts.endedWhole) return { at: () => noProof('ended') };
  if (prover.scopes.length === 0 || !knewAsMuch(prover, asker)) return { at: () => noProof('scope') };
  const isGentler = isBelow(facts.intensity, asker.facts.intensity);
  const [scopes, othersScopes] = [compileScopes(prover.scopes), compileScopes(asker.scopes)];
  const asked = new Map(asker.places.map((place) => [placeKey(place.place), place]));
  const byKey = new Map(places.map((place) => [placeKey(place.place), place]));
  const urlsByHost = groupUrls(places);
  const askedUrls = groupUrls(asker.places);
  const isAsked = (address: string): boolean => asked.has(address) || askedUrls.has(address);
  const isLooked = (address: string): boolean => byKey.has(address) || urlsByHost.has(address);

  const look = (place: Place, host: HostOfFinding, url?: UrlPlace): Looked | Lack => {
    if (place.status !== 'tested' && place.status !== 'partial') return 'host';
    const other = asked.get(placeKey(place.place));
    const before = other ?? asked.get(placeKey(host.label)) ?? NEVER_LOOKED;
    if (!isEnough(accessShown(facts, place), accessNeeded(asker.facts, before))) return 'login';
    const own = ownScopes(scopes, host, place);
    // A place that was tested in part is only proven by what is said of it alone.
    const ran = place.status === 'partial' ? own : together(scopes.everywhere, own);
    if (ran.length === 0) return place.status === 'partial' ? 'host' : 'scope';
    const others = together(othersScopes.everywhere, ownScopes(othersScopes, host, other));
    return { scopes: ran, holds: prover.portsAt(host), others, url, isShared: other !== undefined };
  };

  const looksAt = (host: HostOfFinding): readonly (Looked | Lack)[] => {
    if (isNamedThere(host, prover)) return [];
    const place = placeAt(host, prover, byKey, asked);
    const urls = urlsByHost.get(host.label) ?? [];
    return [...(place ? [look(place, host)] : []), ...urls.map(([there, url]) => look(there, host, url))];
  };

  return {
    at(host) {
      const all = looksAt(host);
      const looks = all.filter((one) => typeof one !== 'string');
      if (looks.length === 0)
        return noProof(
          nearest(
            all.filter((one) => typeof one === 'string'),
            'host',
          ),
        );
      // Pages of the address are named after the host as well: a look at the name alone is none at them.
      const address = host.name === undefined ? undefined : addressOf(host);
      const missed = address !== undefined && isAsked(address) && !isLooked(address) ? address : undefined;
      return {
        lacks: undefined,
        lackOf(finding) {
          if (!wasAsked(facts, finding)) return 'scope';
          if (missed !== undefined && urlOf(finding.url() ?? '')?.host === missed) return 'host';
          const lacks = lacksOf(looks, finding);
          if (lacks !== undefined) return lacks;
          return isGentler && finding.url() !== undefined ? 'page' : undefined;
        },
      };
    },
  };
}

const together = (everywhere: readonly Scope[], own: readonly Scope[]): readonly Scope[] =>
  own.length === 0 ? everywhere : [...everywhere, ...own];

/** Scopes that name the host. */
const ownScopes = (scopes: Scopes, host: HostOfFinding, place: Place | undefined): readonly Scope[] =>
  [...new Set([...(place ? [place.place] : []), ...spellingsOf(host)])].flatMap((text) => scopes.of(text));

/** Undefined as soon as one of the looks proves it. */
function lacksOf(looks: readonly Looked[], finding: FindingInQuestion): Lack | undefined {
  const lacks: Lack[] = [];
  for (const look of looks) {
    const lack = lackAt(look, finding);
    if (lack === undefined) return undefined;
    lacks.push(lack);
  }
  return nearest(lacks, 'host');
}

/** Whether the engine of `prover` would have reported whatever the same engine reported to `asker`. */
function knewAsMuch(prover: ScanLook, asker: ScanLook): boolean {
  if (asker.scopes.some(({ reportsMore }) => reportsMore === true)) return false;
  return newestRules(prover) >= newestRules(asker);
}

/** Epoch milliseconds; -Infinity where no scope says of when its rules were. */
export const newestRules = ({ scopes }: Pick<ScanLook, 'scopes'>): number =>
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
function lackAt(look: Looked, finding: FindingInQuestion): Lack | undefined {
  const { scopes, url } = look;
  const { port, protocol } = finding;
  if (!ruleRan(scopes, finding.rule)) {
    // Checks do not run at a closed port, and what they found there is gone with what listened.
    return port > 0 && !url && isPortClosed(look, port, protocol) ? undefined : 'check';
  }
  if (port > 0 && !(url ? url.port === port : isPortProven(look, port, protocol))) return 'port';
  return look.isShared || sawPage(url, finding) ? undefined : 'page';
}

/** Of a host alone nothing is known about the pages of a web application somebody else named. */
function sawPage(url: UrlPlace | undefined, finding: FindingInQuestion): boolean {
  const found = finding.url();
  if (found === undefined) return true;
  const there = urlOf(found);
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

/** A scan that was asked for a name of an address as well tells its findings there under the name: none has the address. */
const isNamedThere = ({ label, name, addressKey: key }: HostOfFinding, { hasLabel, namesAddress }: ScanLook): boolean =>
  name === undefined && key !== undefined && namesAddress(key) && !hasLabel(label);

const isNetworked = ({ name, addressKey: key }: HostOfFinding): boolean => name !== undefined || key !== undefined;

/** A scope may name a host by address where the place has the name it was asked for. */
function spellingsOf(host: HostOfFinding): readonly string[] {
  const address = addressOf(host);
  return address === undefined ? [host.label] : [host.label, address];
}

const addressOf = ({ addressKey: key }: HostOfFinding): string | undefined =>
  key === undefined ? undefined : addressOfKey(key);
