import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { Change } from '../model/contract/compare.ts';
import { AppError } from '../model/errors.ts';
import { hostRefused } from '../model/target.ts';
import { classify, CHANGES, type Classes } from './compare-classes.ts';
import { pageOfChanges, START, type ComparedFile, type Position } from './compare-page.ts';
import { classifyWeaknesses } from './compare-weaknesses.ts';
import type { ComparedScan, ComparisonInput, ComparisonPage } from './comparison.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { knowsHost } from './filter.ts';
import { lastMade } from './kept.ts';
import { readLook } from './read-look.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import { createFindingReader } from './read-finding.ts';
import { selectFindings } from './select.ts';
import { sharePlaces } from './shared-places.ts';
import { showFinding } from './show.ts';
import { suppressedIn } from './suppressed.ts';

/**
 * One page of what became of the findings of `base` in `head`.
 * @throws AppError cursor_invalid, invalid_request, storage_unusable
 */
export const compareScans = (files: OpenFiles, input: ComparisonInput): Promise<ComparisonPage> =>
  files.use(input.head.file, (head) => files.use(input.base.file, (base) => compare(head, base, input)));

function compare(head: OpenFindings, base: OpenFindings, input: ComparisonInput): ComparisonPage {
  const hash = queryHash(input);
  const start = readPosition(hash, input.query.cursor);
  if (![head, base].some((file) => knowsHost(file, input.query.filter))) throw hostRefused();
  const comparedBy = head.engine === base.engine ? 'fingerprint' : 'cve';
  const compared = {
    head: sideOf(head, input.head, input),
    base: sideOf(base, input.base, input),
    classes: classesOf(head, base, input),
  };
  const { next, notComparable, ...page } = pageOfChanges(compared, start, input.query.max_tokens);
  return {
    comparedBy,
    sharesPlaces: sharePlaces(head, base),
    ...page,
    ...(comparedBy === 'cve' ? { notComparable } : {}),
    ...(next === undefined ? {} : { nextCursor: encodeCursor(hash, numberOf(next)) }),
  };
}

/** The next page asks the same: files and records of finished scans never change. */
const kept = lastMade<Classes>(1);

function classesOf(head: OpenFindings, base: OpenFindings, input: ComparisonInput): Classes {
  const key = JSON.stringify([base.path, input.head.facts, input.base.facts]);
  return kept(head, key, () => {
    if (head.engine !== base.engine) return classifyWeaknesses(head, base);
    return classify(
      { findings: head, look: readLook(head, input.head.facts) },
      { findings: base, look: readLook(base, input.base.facts) },
    );
  });
}

function sideOf(file: OpenFindings, { scanId }: ComparedScan, { query, suppressions }: ComparisonInput): ComparedFile {
  const reader = createFindingReader(file, scanId, suppressions);
  const { matches } = selectFindings(file, { ...query.filter, include_suppressed: true }, suppressions);
  return {
    findings: file,
    selected: {
      matches,
      suppressed: suppressedIn(file, suppressions).mask,
      includesSuppressed: query.include_suppressed === true,
    },
    show: (index) => showFinding(reader.at(index), 'brief', undefined),
  };
}

/** What a cursor belongs to: both files and everything that decides what comes in which order. */
function queryHash({ head, base, query, suppressions }: ComparisonInput): string {
  const { cursor: _cursor, max_tokens: _budget, filter, ...rest } = query;
  const filters = Object.entries(filter).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const scans = [head, base].map(({ file, scanId, facts }) => [basename(file), scanId, facts]);
  return createHash('sha256')
    .update(JSON.stringify(['compare', scans, filters, rest, suppressions.version]))
    .digest('hex');
}

/** More than a file can hold findings. */
const MAX_FINDINGS = 2 ** 32;

const numberOf = ({ change, index }: Position): number => CHANGES.indexOf(change) * MAX_FINDINGS + index + 1;

function readPosition(hash: string, cursor: string | undefined): Position {
  const number = decodeCursor(hash, cursor);
  if (number === 0) return START;
  const change = Change.safeParse(CHANGES[Math.floor((number - 1) / MAX_FINDINGS)]);
  if (!change.success) throw new AppError('cursor_invalid', 'The cursor does not belong to this query.');
  return { change: change.data, index: (number - 1) % MAX_FINDINGS };
}
