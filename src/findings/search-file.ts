import { createClaimTest } from './place-claims.ts';
import { createDetails } from './finding-details.ts';
import type { ShownFinding } from './findings.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import { absentTest } from './marked-absent.ts';
import { createFindingReader } from './read-finding.ts';
import { MAX_HIT_HOSTS, type SearchInput, type SearchOutput } from './searching.ts';
import { selectFindings } from './select.ts';
import { showFinding } from './show.ts';
import { shrinkToTokens } from './shrink.ts';
import { spellingsIn } from './spellings.ts';
import { suppressedIn } from './suppressed.ts';
import { jsonWeight, pageWeight } from './tokens.ts';

/** What of one file answers a question over many. @throws AppError invalid_request, storage_unusable */
export const searchFile = (files: OpenFiles, input: SearchInput): Promise<SearchOutput> =>
  files.use(input.ref.file, (file) => search(file, input));

function search(file: OpenFindings, input: SearchInput): SearchOutput {
  const { filter, suppressions, claim, include_suppressed: includes } = input;
  const mask = suppressedIn(file, suppressions).mask;
  const isClaimed = claim === undefined ? () => true : createClaimTest(file, claim);
  const isAbsent = absentTest(file);
  const all = selectFindings(file, { ...filter, include_suppressed: true }, suppressions).matches.filter(
    (index) => isClaimed(index) && !isAbsent(index),
  );
  const shown = includes || mask === undefined ? all : all.filter((index) => mask[index] !== 1);
  const hosts = labelsOf(file, all);
  const named = new Set([...hosts, ...(claim?.places ?? [])]);
  return {
    total: shown.length,
    suppressed: mask === undefined ? 0 : all.reduce((sum, index) => sum + (mask[index] ?? 0), 0),
    hosts,
    spellings: spellingsIn(file).filter(({ text, place }) => named.has(text) || named.has(place)),
    ...page(file, shown, input),
  };
}

function labelsOf(file: OpenFindings, matches: Uint32Array): string[] {
  const details = createDetails(file);
  const ids = new Set<number>();
  for (const index of matches) if (ids.size < MAX_HIT_HOSTS) ids.add(file.host[index] ?? 0);
  return [...new Set([...ids].map((id) => details.host(id).label))];
}

function page(
  file: OpenFindings,
  matches: Uint32Array,
  { ref, suppressions, from, max_tokens: maxTokens, must_show: mustShow }: SearchInput,
): Pick<SearchOutput, 'findings' | 'next'> {
  const reader = createFindingReader(file, ref.scanId, suppressions);
  const findings: ShownFinding[] = [];
  let left = maxTokens === 0 ? 0 : pageWeight(maxTokens);
  for (const index of matches) {
    if (index < from) continue;
    if (left <= 0) return { findings, next: index };
    const shown = showFinding(reader.at(index), 'brief', undefined);
    const isCut = mustShow && findings.length === 0;
    const fitting = isCut ? shrinkToTokens(shown, maxTokens) : shown;
    left -= jsonWeight(fitting);
    if (left < 0 && !isCut) return { findings, next: index };
    findings.push(fitting);
  }
  return { findings };
}
