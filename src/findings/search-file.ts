import { PRINT_BYTES } from './layout.ts';
import { matchPrints } from './match-prints.ts';
import { createClaimTest } from './place-claims.ts';
import { unpackPlaces } from './place-list.ts';
import { createPlaceNames } from './place-names.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import { absentTest } from './marked-absent.ts';
import { MAX_HIT_PLACES, type SearchInput, type SearchOutput } from './searching.ts';
import { firstOf } from './search-order.ts';
import { selectFindings } from './select.ts';
import { suppressedIn } from './suppressed.ts';

/** What of one file answers a question over many. @throws AppError invalid_request, storage_unusable */
export const searchFile = (files: OpenFiles, input: SearchInput): Promise<SearchOutput> =>
  files.use(input.ref.file, (file) => search(file, input));

function search(file: OpenFindings, input: SearchInput): SearchOutput {
  const { filter, suppressions, claim, except, maxPrints, include_suppressed: includes } = input;
  const mask = suppressedIn(file, suppressions).mask;
  const isClaimed =
    claim === undefined ? () => true : createClaimTest(file, { ...claim, places: unpackPlaces(claim.places) });
  const isAbsent = absentTest(file);
  const claimed = selectFindings(file, { ...filter, include_suppressed: true }, suppressions).matches.filter(isClaimed);
  const present = claimed.filter((index) => !isAbsent(index));
  const all = except === undefined ? present : withoutPrints(file, present, except);
  const shown = includes || mask === undefined ? all : all.filter((index) => mask[index] !== 1);
  return {
    total: shown.length,
    suppressed: mask === undefined ? 0 : all.reduce((sum, index) => sum + (mask[index] ?? 0), 0),
    gone: claimed.length - present.length,
    places: placesOf(file, all),
    ...(maxPrints !== undefined && all.length <= maxPrints ? { prints: printsOf(file, all) } : {}),
    first: firstOf(file, shown, input),
  };
}

function withoutPrints(file: OpenFindings, matches: Uint32Array, except: Uint8Array): Uint32Array {
  if (except.length === 0) return matches;
  const known = matchPrints(printsOf(file, matches), except);
  return matches.filter((_, at) => (known[at] ?? -1) < 0);
}

function printsOf(file: OpenFindings, matches: Uint32Array): Uint8Array {
  const all = file.prints();
  const prints = new Uint8Array(matches.length * PRINT_BYTES);
  for (const [at, index] of matches.entries()) {
    prints.set(all.subarray(index * PRINT_BYTES, (index + 1) * PRINT_BYTES), at * PRINT_BYTES);
  }
  return prints;
}

const PORTS = 65_536;

/** Empty where the file lists no places at all. */
function placesOf(file: OpenFindings, matches: Uint32Array): string[] {
  if (file.db.prepare('SELECT 1 FROM place LIMIT 1').get() === undefined) return [];
  const namesOf = createPlaceNames(file);
  const [hosts, ports, places] = [new Set<number>(), new Set<number>(), new Set<string>()];
  for (const index of matches) {
    const [host, port] = [file.host[index] ?? 0, Math.max(file.port[index] ?? 0, 0)];
    const known = ports.size;
    if (ports.add(host * PORTS + port).size === known) continue;
    if (hosts.add(host).size > MAX_HIT_PLACES || places.size >= MAX_HIT_PLACES) break;
    for (const place of namesOf(host, port)) places.add(place);
  }
  return [...places].slice(0, MAX_HIT_PLACES);
}
