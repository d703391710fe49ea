import { jsonWeight, pageWeight } from './tokens.ts';

type Json = Readonly<Record<string, unknown>>;

/** Never cut: without them the rest cannot be fetched. */
const KEPT = new Set(['finding_id', 'sample_finding_id', 'severity', 'max_severity', 'fingerprint', 'cut']);
/** Long words about a finding: all of them go before anything that says what and where it is. */
const PROSE = new Set(['description', 'solution', 'references', 'cvss', 'cwes', 'untrusted', 'discriminator']);
/** What a finding is told by when almost nothing fits. */
const LAST = new Set(['title', 'place', 'cves']);
/** As many characters as the largest budget has room for. */
const LONGEST = 60_000;
const SHORTEST = 24;
const LIMITS: readonly number[] = limitsFrom(LONGEST);

function limitsFrom(longest: number): number[] {
  const limits: number[] = [];
  for (let max = longest; max > SHORTEST; max = Math.floor(max * 0.75)) limits.push(max);
  return [...limits, SHORTEST];
}

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const cutText = (text: string, max: number): string => `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

/** What was cut: lists and fields are named, texts may be too many to. */
interface Cuts {
  readonly texts: string[];
  readonly lists: string[];
}

/** Cuts strings to `max` characters and lists to `max / 24` items, and notes each cut. */
function cutValue(path: string, value: unknown, max: number, cuts: Cuts): unknown {
  if (typeof value === 'string') {
    if (value.length <= max) return value;
    cuts.texts.push(`${path}: ${value.length} -> ${max} characters`);
    return cutText(value, max);
  }
  if (Array.isArray(value)) {
    const most = Math.max(Math.floor(max / SHORTEST), 1);
    if (value.length > most) cuts.lists.push(`${path}: ${value.length} -> ${most} items`);
    return value.slice(0, most).map((item: unknown, index) => cutValue(`${path}.${index}`, item, max, cuts));
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, cutValue(`${path}.${key}`, item, max, cuts)]),
  );
}

interface Limits {
  /** Characters of each text of these fields, and so many 24ths items of their lists. */
  readonly max: number;
  readonly fields: (name: string) => boolean;
  readonly leftOut: readonly string[];
}

function cutTo(item: Json, { max, fields, leftOut }: Limits): Json {
  const cuts: Cuts = { texts: [], lists: [] };
  const shown: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(item)) {
    if (leftOut.includes(name)) continue;
    shown[name] = fields(name) && !KEPT.has(name) ? cutValue(name, value, max, cuts) : value;
  }
  const before: readonly unknown[] = Array.isArray(item['cut']) ? item['cut'] : [];
  // Where fields had to go there is no room to go through every text.
  const texts = leftOut.length > 0 && cuts.texts.length > 1 ? [`text is cut to ${max} characters`] : cuts.texts;
  const gone = leftOut.length > 0 ? [`left out: ${leftOut.join(', ')}`] : [];
  const cut = [...before, ...texts, ...cuts.lists, ...gone];
  return cut.length > 0 ? { ...shown, cut } : shown;
}

/** Fields by what they take when they are cut as far as they can be, the largest first. */
const bySize = (item: Json, names: readonly string[]): string[] => {
  const shortest = cutTo(item, { max: SHORTEST, fields: () => true, leftOut: [] });
  return names.toSorted((a, b) => jsonWeight(shortest[b]) - jsonWeight(shortest[a]));
};

/** The item, cut harder and harder. */
function* shorter(item: Json): Generator<Json, undefined> {
  const isProse = (name: string): boolean => PROSE.has(name);
  for (const max of LIMITS) yield cutTo(item, { max, fields: isProse, leftOut: [] });
  const names = Object.keys(item).filter((name) => !KEPT.has(name));
  const prose = bySize(item, names.filter(isProse));
  for (let gone = 1; gone <= prose.length; gone += 1)
    yield cutTo(item, { max: SHORTEST, fields: isProse, leftOut: prose.slice(0, gone) });
  for (const max of LIMITS) yield cutTo(item, { max, fields: () => true, leftOut: prose });
  const rest = names.filter((name) => !isProse(name));
  const order = [
    ...bySize(
      item,
      rest.filter((name) => !LAST.has(name)),
    ),
    ...bySize(
      item,
      rest.filter((name) => LAST.has(name)),
    ),
  ];
  for (let gone = 1; gone <= order.length; gone += 1)
    yield cutTo(item, { max: SHORTEST, fields: () => true, leftOut: [...prose, ...order.slice(0, gone)] });
  return undefined;
}

/**
 * One item made to fit a budget in tokens: long text and lists are cut, no harder than needed, and `cut` says what and
 * by how much, and names the fields that are left out. What is said about a finding goes before what and where it is;
 * ids and severity are never cut. An item that fits is returned as it is.
 */
export function shrinkToTokens(item: Json, maxTokens: number): Json {
  const budget = pageWeight(maxTokens);
  if (jsonWeight(item) <= budget) return item;
  let last = item;
  for (const shown of shorter(item)) {
    last = shown;
    if (jsonWeight(shown) <= budget) break;
  }
  return last;
}
