import type { ShownFinding } from './findings.ts';
import { NONE } from './layout.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings, RuleColumns } from './open-findings.ts';
import { createFindingReader } from './read-finding.ts';
import {
  byUrgency,
  type SearchInput,
  type SearchPosition,
  type ShowInput,
  type UrgencyInput,
  type UrgencyKey,
} from './searching.ts';
import { showFinding } from './show.ts';
import { shrinkToTokens } from './shrink.ts';
import { urgencyClass } from './urgency.ts';

/** The same for equal ratings in every file; the columns of each stand in this order already. See urgency.ts. */
function keyOf({ severity, flags, epss, cvss }: RuleColumns, rule: number): UrgencyKey {
  const rank = severity[rule] ?? 0;
  const [likely, score] = [epss[rule] ?? NONE, cvss[rule] ?? NONE];
  return [urgencyClass(rank, flags[rule] ?? 0, likely), -likely, -score, rank];
}

/** The first matches after a position. */
export function firstOf(
  { rule, rules }: OpenFindings,
  matches: Uint32Array,
  { after, limit }: Pick<SearchInput, 'after' | 'limit'>,
): SearchPosition[] {
  const first: SearchPosition[] = [];
  let [last, key] = [-1, keyOf(rules, 0)];
  for (const index of matches) {
    if (first.length >= limit) break;
    const id = rule[index] ?? 0;
    if (id !== last) [last, key] = [id, keyOf(rules, id)];
    if (after === undefined || comesAfter({ key, index }, after)) first.push({ key, index });
  }
  return first;
}

function comesAfter({ key, index }: SearchPosition, after: SearchPosition): boolean {
  const order = byUrgency(key, after.key);
  return order > 0 || (order === 0 && index > after.index);
}

export const urgencyAt = (files: OpenFiles, { file: path, index }: UrgencyInput): Promise<UrgencyKey | undefined> =>
  files.use(path, ({ rule, rules, count }) => (index < count ? keyOf(rules, rule[index] ?? 0) : undefined));

export const showFound = (files: OpenFiles, input: ShowInput): Promise<readonly ShownFinding[]> =>
  files.use(input.ref.file, (file) => {
    const reader = createFindingReader(file, input.ref.scanId, input.suppressions);
    return input.indices.map((index) =>
      shrinkToTokens(showFinding(reader.at(index), 'brief', undefined), input.max_tokens),
    );
  });
