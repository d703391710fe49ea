import type { Place } from '../model/coverage.ts';
import { addressOfKey } from './address-key.ts';
import type { LookFacts } from './look-proof.ts';
import { createDetails } from './finding-details.ts';
import { masksOf } from './filter.ts';
import type { FindingFilter } from './findings.ts';
import { compileScopes, placeKey, portTried, ruleRan, type Scope, type Scopes } from './look-scope.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import { readLook } from './read-look.ts';
import type { KnownCheck, RanInput } from './searching.ts';
import { spellingsIn } from './spellings.ts';

/** Checks named in one answer; a question that more of them could answer names no check. */
const MAX_CHECKS = 20_000;

/** Checks in a file that could answer a question: by what it names, whatever they found and however it was rated. */
export const knownChecks = (
  files: OpenFiles,
  { file: path, filter }: { readonly file: string; readonly filter: FindingFilter },
): Promise<readonly KnownCheck[]> =>
  files.use(path, (file) => {
    const { cve, rule_id: rule, text } = filter;
    const asked = {
      ...(cve !== undefined && { cve }),
      ...(rule !== undefined && { rule_id: rule }),
      ...(text !== undefined && { text }),
    };
    const login = hasLogin(file) ? ({ needsLogin: true } as const) : {};
    const { rules, words } = masksOf(file, asked);
    const details = createDetails(file);
    const checks: KnownCheck[] = [];
    for (let id = 0; id < file.rules.count && checks.length < MAX_CHECKS; id += 1) {
      if (rules?.[id] === 0 || words?.rules[id] === 0) continue;
      const { rule_id, rule_family, severity } = details.rule(id);
      checks.push({ rule_id, severity, ...login, ...(rule_family === undefined ? {} : { rule_family }) });
    }
    return checks;
  });

/** At which of the places one of the checks is proven to have run. */
export const placesWhereRan = (files: OpenFiles, input: RanInput): Promise<readonly string[]> =>
  files.use(input.file, (file) => placesOf(file, input));

function placesOf(file: OpenFindings, { facts, places: asked, checks, port, every = false }: RanInput): string[] {
  const look = readLook(file, facts);
  if (!look.facts.endedWhole) return [];
  const others = new Map<string, Set<string>>();
  for (const { text, place } of spellingsIn(file))
    others.set(text, (others.get(text) ?? new Set()).add(placeKey(place)));
  const scopes = compileScopes(look.scopes);
  const addresses = addressesByLabel(file);
  const byKey = new Map(look.places.map((place) => [placeKey(place.place), place]));
  const isProven = (key: string): boolean => {
    const place = byKey.get(key);
    if (place === undefined) return false;
    const ran = scopesAt(scopes, place, addresses.get(key) ?? []);
    const asked = askable(checks, place, facts);
    // Where every one has to have run, one that could not run there settles it.
    if (every && asked.length < checks.length) return false;
    return didRun(ran, asked, every) && (port === undefined || isPortProven(ran, place.place, port));
  };
  return asked.filter((text) => {
    const key = placeKey(text);
    if (byKey.has(key)) return isProven(key);
    // An address that several names share is proven where each of them is.
    const places = [...(others.get(key) ?? [])];
    return places.length > 0 && places.every(isProven);
  });
}

/** As in look-proof.ts: of a place that was looked at in part, only what is said of it alone counts. */
function scopesAt(scopes: Scopes, { place, status }: Place, addresses: readonly string[]): readonly Scope[] {
  const own = [place, ...addresses].flatMap((text) => scopes.of(text));
  if (status === 'tested') return [...scopes.everywhere, ...own];
  return status === 'partial' ? own : [];
}

const hasLogin = ({ db }: OpenFindings): boolean =>
  db.prepare("SELECT 1 FROM place WHERE login IN ('success', 'partial') LIMIT 1").get() !== undefined;

/** Checks that the scan was allowed to make there: of severities it was asked for, and without a login none that may need one. */
function askable(checks: RanInput['checks'], { login }: Place, { access, severityLevels: levels }: LookFacts) {
  if (checks === 'all') return levels === undefined && login !== 'failed' && login !== 'partial' ? checks : [];
  const isLoggedIn = login === 'success' || (login === undefined && access === 'authenticated');
  return checks.filter(
    ({ severity, needsLogin }) =>
      (isLoggedIn || needsLogin !== true) &&
      (levels === undefined || (severity !== undefined && levels.includes(severity))),
  );
}

const didRun = (scopes: readonly Scope[], checks: RanInput['checks'], every: boolean): boolean =>
  checks === 'all'
    ? scopes.some(({ allFamilies }) => allFamilies) && scopes.every(({ rulesNotRun }) => rulesNotRun.size === 0)
    : every
      ? checks.every((check) => ruleRan(scopes, check))
      : checks.some((check) => ruleRan(scopes, check));

function isPortProven(scopes: readonly Scope[], place: string, port: number): boolean {
  if (place.includes('://') && URL.canParse(place)) {
    const { port: named, protocol } = new URL(place);
    return (named === '' ? (protocol === 'https:' ? 443 : 80) : Number(named)) === port;
  }
  return portTried(scopes, port, () => 'tcp');
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
