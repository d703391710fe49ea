import { jsonWeight, pageWeight } from './tokens.ts';

type Json = Readonly<Record<string, unknown>>;

/** Never cut: without them the rest cannot be fetched. */
const KEPT = new Set(['finding_id', 'sample_finding_id', 'severity', 'max_severity', 'fingerprint']);
const LONGEST = 20_000;
const SHORTEST = 24;

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const cutText = (text: string, max: number): string => `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;

/** Cuts strings to `max` characters and lists to `max / 24` items, and notes each cut. */
function cutValue(path: string, value: unknown, max: number, cuts: string[]): unknown {
  if (typeof value === 'string') {
    if (KEPT.has(path) || value.length <= max) return value;
    cuts.push(`${path}: ${value.length} -> ${max} characters`);
    return cutText(value, max);
  }
  if (Array.isArray(value)) {
    const most = Math.max(Math.floor(max / SHORTEST), 1);
    if (value.length > most) cuts.push(`${path}: ${value.length} -> ${most} items`);
    return value.slice(0, most).map((item: unknown, index) => cutValue(`${path}.${index}`, item, max, cuts));
  }
  if (!isRecord(value)) return value;
  const inside = path === '' ? '' : `${path}.`;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, cutValue(`${inside}${key}`, item, max, cuts)]),
  );
}

function cutTo(item: Json, max: number): Json {
  const cuts: string[] = [];
  const shown = cutValue('', item, max, cuts);
  return isRecord(shown) && cuts.length > 0 ? { ...shown, cut: cuts } : item;
}

/** Last resort: whole fields go, the largest first. */
function dropFields(item: Json, budget: number): Json {
  const { cut: _cut, ...rest } = cutTo(item, SHORTEST);
  const bySize = Object.keys(rest)
    .filter((key) => !KEPT.has(key))
    .toSorted((a, b) => jsonWeight(rest[b]) - jsonWeight(rest[a]));
  let shown: Json = rest;
  for (let dropped = 0; dropped <= bySize.length; dropped += 1) {
    const gone = new Set(bySize.slice(0, dropped));
    const kept = Object.entries(rest).filter(([key]) => !gone.has(key));
    const note = gone.size > 0 ? `, and ${gone.size} fields are left out` : '';
    shown = { ...Object.fromEntries(kept), cut: [`text is cut to ${SHORTEST} characters${note}`] };
    if (jsonWeight(shown) <= budget) return shown;
  }
  return shown;
}

/**
 * One item made to fit a budget in tokens: long text and lists are cut, no harder than needed, and `cut` says what and
 * by how much. An item that fits is returned as it is. Ids and severity are never cut.
 */
export function shrinkToTokens(item: Json, maxTokens: number): Json {
  const budget = pageWeight(maxTokens);
  if (jsonWeight(item) <= budget) return item;
  for (let max = LONGEST; max >= SHORTEST; max = Math.floor(max * 0.75)) {
    const shown = cutTo(item, max);
    if (jsonWeight(shown) <= budget) return shown;
  }
  return dropFields(item, budget);
}
