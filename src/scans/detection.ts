import type { FindingFilter } from '../findings/findings.ts';
import { RAN, type KnownCheck, type PortAt } from '../findings/searching.ts';
import { wordsInQuestion, type AskedPlace } from './asked-place.ts';
import type { ScanDeps } from './deps.ts';
import { createKnownChecks, type KnownDeps } from './known-checks.ts';
import { packed } from './pack-places.ts';
import { readable } from './readable.ts';
import type { Searched, SearchedScan } from './search-scans.ts';
import { inSlices } from './slices.ts';
import { NOTHING_STANDS, standsFor, type Standing } from './search-standing.ts';

export interface Detected {
  /** Words in question where a check for what was asked is proven to have run. */
  readonly places: ReadonlySet<string>;
  /** Whether any engine is known to have such a check; undefined where the question names none. */
  readonly isKnown: boolean | undefined;
}

/** What one engine proves. */
interface Proven {
  readonly engine: string;
  /** Places by the word they were looked at under. */
  readonly places: Set<string>;
  /** Addresses that a check looked at as such: what it would have seen there, it would have seen by any name. */
  readonly addresses: Set<string>;
}

/**
 * Where a finding could have been seen. A check for a CVE, a rule or words exists in an engine when any findings file of
 * it shows one, or its catalogue does. A question without any of these is open: only a scan that ran everything its
 * engine has could have answered it. Words may name many weaknesses: there every known check must have run, of every
 * engine that has one. A look by one name proves nothing for another name of the same address. Where an older scan had
 * it, no newer one of its engine counts that does not disprove it, and none of another that did not try the port.
 */
export function createDetection(
  deps: KnownDeps,
): (tenant: string, searched: Searched, filter: FindingFilter, standing?: Standing) => Promise<Detected> {
  const knownChecks = createKnownChecks(deps);
  return async (tenant, { scans }, filter, standing = NOTHING_STANDS) => {
    const isOpen = filter.cve === undefined && filter.rule_id === undefined && filter.text === undefined;
    const engines = new Set(scans.map(({ engine }) => engine));
    const checks = isOpen ? undefined : await knownChecks({ tenant, engines, filter });
    const proven = new Map<string, Proven>();
    for (const scan of scans) {
      const known = checks ? (checks.get(scan.engine) ?? []) : 'all';
      const ofEngine = proven.get(scan.engine) ?? { engine: scan.engine, places: new Set(), addresses: new Set() };
      proven.set(scan.engine, ofEngine);
      await prove(deps, { scan, checks: known, filter, standing }, ofEngine);
    }
    const able = [...(checks ?? [])].flatMap(([engine, list]) => (list.length > 0 ? [engine] : []));
    const needed = filter.text === undefined ? undefined : able.map((engine) => proven.get(engine));
    return {
      places: await wordsProven(scans, [...proven.values()], { needed, standing }),
      isKnown: checks && able.length > 0,
    };
  };
}

interface Question {
  readonly scan: SearchedScan;
  readonly checks: readonly KnownCheck[] | 'all';
  readonly filter: FindingFilter;
  readonly standing: Standing;
}

async function prove(
  { findings, log }: Pick<ScanDeps, 'findings' | 'log'>,
  { scan: { scanId, file, facts, places }, checks, filter: { port, text }, standing }: Question,
  proven: Proven,
): Promise<void> {
  if (checks.length === 0 || places.length === 0) return;
  const list = await packed(places, ({ place }) => [place]);
  const portsAt = await portsStanding(places, standing);
  const input = { file, facts, places: list, checks, every: text !== undefined, portsAt };
  const ran = await readable(log, scanId, () => findings.ran({ ...input, ...(port === undefined ? {} : { port }) }));
  if (!ran) return;
  let at = 0;
  for await (const slice of inSlices(places)) {
    for (const { place, also } of slice) {
      const proof = ran[at] ?? RAN.notProven;
      at += 1;
      if (proof !== RAN.notProven) proven.places.add(place);
      if (proof === RAN.provenAtAddress) for (const word of [place, ...also]) proven.addresses.add(word);
    }
  }
}

/** Ports where an older scan had it: who did not try them has not looked for it. */
async function portsStanding(places: readonly AskedPlace[], { at }: Standing): Promise<readonly PortAt[]> {
  const ports: PortAt[] = [];
  if (at.size === 0) return ports;
  for await (const slice of inSlices(places)) {
    for (const asked of slice) {
      for (const word of wordsInQuestion(asked)) {
        for (const { port, protocol } of at.get(word) ?? []) ports.push({ place: asked.place, port, protocol });
      }
    }
  }
  return ports;
}

interface Rule {
  /** Engines that must have proven it each, of which there must be one; absent: any of them. */
  readonly needed: readonly (Proven | undefined)[] | undefined;
  readonly standing: Standing;
}

async function wordsProven(
  scans: readonly SearchedScan[],
  all: readonly Proven[],
  { needed, standing }: Rule,
): Promise<ReadonlySet<string>> {
  const isProvenFor = (proven: Proven, word: string, asked: AskedPlace): boolean =>
    isProvenBy(proven, word, asked) && !standsFor(standing, proven.engine, word);
  const isProven = (word: string, asked: AskedPlace): boolean =>
    needed === undefined
      ? all.some((proven) => isProvenFor(proven, word, asked))
      : needed.length > 0 && needed.every((proven) => proven !== undefined && isProvenFor(proven, word, asked));
  const words = new Set<string>();
  for (const { places } of scans) {
    for await (const slice of inSlices(places)) {
      for (const asked of slice) for (const word of wordsInQuestion(asked)) if (isProven(word, asked)) words.add(word);
    }
  }
  return words;
}

function isProvenBy({ places, addresses }: Proven, word: string, { place, also, by }: AskedPlace): boolean {
  if (addresses.has(word)) return true;
  if (word !== place) return false;
  // Of a name that is asked about by some of its addresses, the rest may hide what was found at these.
  if (places.has(word) && (by === undefined || by.length === also.length)) return true;
  return also.length > 0 && also.every((other) => addresses.has(other));
}
