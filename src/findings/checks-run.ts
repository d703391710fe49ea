import type { Place } from '../model/coverage.ts';
import type { ReportScope } from '../model/report.ts';
import { addressOfKey } from './address-key.ts';
import { needsOf } from './check-needs.ts';
import { masksOf } from './filter.ts';
import { createDetails } from './finding-details.ts';
import { accessShown, isEnough, NO_ACCESS } from './look-access.ts';
import { newestRules, type LookFacts } from './look-proof.ts';
import { compileScopes, placeKey, portTried, ruleRan, type Scope, type Scopes } from './look-scope.ts';
import { readScopes } from './looked.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import { unpackPlaces } from './place-list.ts';
import { placeLooked, reportEnded } from './read-look.ts';
import { RAN, type ChecksInput, type KnownCheck, type PortAt, type RanInput } from './searching.ts';

/** Checks named in one answer; a question that more of them could answer names no check. */
const MAX_CHECKS = 20_000;

/** Checks in a file that could answer a question: by what it names, whatever they found and however it was rated. */
export const knownChecks = (
  files: OpenFiles,
  { file: path, facts, filter }: ChecksInput,
): Promise<readonly KnownCheck[]> =>
  files.use(path, (file) => {
    const { cve, rule_id: rule, text } = filter;
    const asked = {
      ...(cve !== undefined && { cve }),
      ...(rule !== undefined && { rule_id: rule }),
      ...(text !== undefined && { text }),
    };
    const { rules, words } = masksOf(file, asked);
    const details = createDetails(file);
    const ids: number[] = [];
    for (let id = 0; id < file.rules.count && ids.length < MAX_CHECKS; id += 1) {
      if (rules?.[id] !== 0 && words?.rules[id] !== 0) ids.push(id);
    }
    const needs = needsOf(file, facts, ids);
    const knownSince = sinceWhen(readScopes(file));
    return ids.map((id) => {
      const { rule_id, rule_family, severity } = details.rule(id);
      return {
        rule_id,
        severity,
        needs: needs.get(id) ?? [NO_ACCESS],
        ...(knownSince === -Infinity ? {} : { knownSince }),
        ...(rule_family === undefined ? {} : { rule_family }),
      };
    });
  });

/** What came up by options that make the engine report more is not known to come up without them, whenever that is. */
const sinceWhen = (scopes: readonly ReportScope[]): number =>
  scopes.some(({ reportsMore }) => reportsMore === true) ? Infinity : newestRules({ scopes });

/** At which of the places one of the checks is proven to have run. */
export const placesWhereRan = (files: OpenFiles, input: RanInput): Promise<Uint8Array> =>
  files.use(input.file, (file) => proofsAt(file, input));

function proofsAt(file: OpenFindings, input: RanInput): Uint8Array {
  const proofAt = createProof(file, input);
  const proofs: number[] = [];
  for (const place of unpackPlaces(input.places)) proofs.push(proofAt(place));
  return Uint8Array.from(proofs);
}

type Proof = (typeof RAN)[keyof typeof RAN];

function createProof(file: OpenFindings, input: RanInput): (place: string) => Proof {
  const { facts, checks, port, every = false } = input;
  if (!facts.endedWhole || !reportEnded(file)) return () => RAN.notProven;
  const reported = readScopes(file);
  const scopes = compileScopes(reported);
  const isOfPlaces = reported.some(({ place }) => place !== undefined);
  const addresses = isOfPlaces ? addressesByLabel(file) : new Map<string, readonly string[]>();
  const statement = file.db.prepare('SELECT place, status, login FROM place WHERE place = ?');
  const askableAt = createAskable(checks, facts, newestRules({ scopes: reported }));
  const portsAt = byPlace(input.portsAt ?? []);
  return (text) => {
    const row = statement.get(text);
    if (row === undefined) return RAN.notProven;
    const place = placeLooked(file.path, row);
    const ran = scopesAt(scopes, place, addresses.get(placeKey(text)) ?? []);
    const tried = [...(port === undefined ? [] : [{ port, protocol: 'tcp' }]), ...(portsAt.get(text) ?? [])];
    if (!tried.every((one) => isPortProven(ran, text, one))) return RAN.notProven;
    const asked = askableAt(place);
    // Where every one has to have run, one that could not run there settles it.
    if (every && asked.length < checks.length) return RAN.notProven;
    const proof = proofOf(ran, asked, every);
    // Of a name that was looked at in part nobody knows at which of its addresses.
    return proof === RAN.provenAtAddress && place.status !== 'tested' ? RAN.proven : proof;
  };
}

function byPlace(ports: readonly PortAt[]): ReadonlyMap<string, readonly PortAt[]> {
  const found = new Map<string, PortAt[]>();
  for (const one of ports) {
    const known = found.get(one.place);
    if (known) known.push(one);
    else found.set(one.place, [one]);
  }
  return found;
}

function proofOf(ran: readonly Scope[], asked: RanInput['checks'], every: boolean): Proof {
  if (!didRun(ran, asked, every)) return RAN.notProven;
  if (asked === 'all') return RAN.proven;
  const atAddress = asked.filter((check) => check.atAddress === true);
  const areAtAddress = every ? atAddress.length === asked.length : didRun(ran, atAddress, every);
  return areAtAddress ? RAN.provenAtAddress : RAN.proven;
}

/** As in look-proof.ts: of a place that was looked at in part, only what is said of it alone counts. */
function scopesAt(scopes: Scopes, { place, status }: Place, addresses: readonly string[]): readonly Scope[] {
  const own = [place, ...addresses].flatMap((text) => scopes.of(text));
  if (status === 'tested') return [...scopes.everywhere, ...own];
  return status === 'partial' ? own : [];
}

/**
 * Checks that the scan was able to make at a place: of severities it was asked for, known to its engine by then, and with
 * the access that they may need. Made once for each outcome of a login.
 */
function createAskable(
  checks: RanInput['checks'],
  facts: LookFacts,
  newest: number,
): (place: Place) => RanInput['checks'] {
  const known = checks === 'all' ? checks : checks.filter(({ knownSince = -Infinity }) => knownSince <= newest);
  const made = new Map<Place['login'], RanInput['checks']>();
  return (place) => {
    const asked = made.get(place.login) ?? askable(known, place, facts);
    made.set(place.login, asked);
    return asked;
  };
}

function askable(checks: RanInput['checks'], place: Place, facts: LookFacts): RanInput['checks'] {
  const { severityLevels: levels } = facts;
  if (checks === 'all') {
    return levels === undefined && place.login !== 'failed' && place.login !== 'partial' ? checks : [];
  }
  const shown = accessShown(facts, place);
  return checks.filter(
    ({ severity, needs }) =>
      needs.some((needed) => isEnough(shown, needed)) &&
      (levels === undefined || (severity !== undefined && levels.includes(severity))),
  );
}

const didRun = (scopes: readonly Scope[], checks: RanInput['checks'], every: boolean): boolean =>
  checks === 'all'
    ? scopes.some(({ allFamilies }) => allFamilies) && scopes.every(({ rulesNotRun }) => rulesNotRun.size === 0)
    : every
      ? checks.every((check) => ruleRan(scopes, check))
      : checks.some((check) => ruleRan(scopes, check));

function isPortProven(scopes: readonly Scope[], place: string, { port, protocol }: Omit<PortAt, 'place'>): boolean {
  if (port === 0) return true;
  if (place.includes('://') && URL.canParse(place)) {
    const { port: named, protocol } = new URL(place);
    return (named === '' ? (protocol === 'https:' ? 443 : 80) : Number(named)) === port;
  }
  return portTried(scopes, port, () => protocol);
}

function addressesByLabel({ db }: OpenFindings): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const row of db.prepare('SELECT label, address_key FROM host WHERE address_key IS NOT NULL').iterate()) {
    const address = addressOfKey(String(row['address_key']));
    const key = placeKey(String(row['label']));
    if (address !== undefined) found.set(key, [...(found.get(key) ?? []), address]);
  }
  return found;
}
