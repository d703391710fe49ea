import { Lack } from '../model/contract/compare.ts';
import type { ScanRecord } from '../model/scan.ts';
import type { ChangeCounts, ComparisonPage, LackCounts } from '../findings/comparison.ts';
import { isoTime } from './time.ts';

/** What was asked, as far as the summary speaks of it. */
interface AskedComparison {
  readonly isFiltered: boolean;
  readonly includesSuppressed: boolean;
}

/** Our own words and numbers only, as in summaries.ts. */
export function comparisonSummary(
  head: ScanRecord,
  base: ScanRecord,
  page: ComparisonPage,
  { isFiltered, includesSuppressed }: AskedComparison,
): string {
  const { counts, suppressed, sharesPlaces } = page;
  const others = includesSuppressed ? 'of them' : 'more';
  const sentences = [
    ...(sharesPlaces ? [] : [NOTHING_SHARED]),
    `Compared with scan ${base.scanId}, which finished ${isoTime(base.finishedAt ?? 0)}${isFiltered ? ' (only what matches the filters)' : ''}: ${countsText(counts)}.`,
    ...(page.comparedBy === 'cve' ? [crossEngine(page)] : []),
    ...(page.comparedBy === 'fingerprint' && sharesPlaces ? caveats(head, page) : []),
    ...(suppressed > 0 ? [`${suppressed} ${others} ${suppressed === 1 ? 'is' : 'are'} suppressed.`] : []),
    nextStep(page),
  ];
  return sentences.filter((sentence) => sentence !== '').join(' ');
}

const NOTHING_SHARED = 'These two scans have no place in common, so nothing is new or fixed.';

const countsText = (counts: ChangeCounts): string =>
  [
    `${counts.new} new`,
    `${counts.newly_visible} newly visible`,
    `${counts.changed} changed`,
    `${counts.fixed} fixed`,
    `${counts.not_observed} not observed`,
    `${counts.persisting} persisting`,
  ].join(', ');

function crossEngine({ notComparable }: ComparisonPage): string {
  const { head = 0, base = 0 } = notComparable ?? {};
  const left = head + base > 0 ? ` Findings without a CVE are not comparable: ${head} of head, ${base} of base.` : '';
  return `Two engines were compared, by CVE and place: what only one of them reports is neither new nor fixed.${left}`;
}

/** What the two words that say the least mean, where they occur, and why. */
function caveats({ result }: ScanRecord, { counts, lacks }: ComparisonPage): string[] {
  const partial = result?.verdict === 'complete' ? '' : ' (its picture is partial)';
  return [
    ...(counts.not_observed > 0
      ? [
          `Not observed is not fixed: the later scan${partial} is not proven to have looked again; missing: ${lacksText(lacks.not_observed)}.`,
        ]
      : []),
    ...(counts.newly_visible > 0
      ? [
          `Newly visible may be old: the earlier scan is not proven to have looked; missing: ${lacksText(lacks.newly_visible)}.`,
        ]
      : []),
  ];
}

const LACKING: Readonly<Record<Lack, string>> = {
  ended: 'its end',
  scope: 'what it looked for',
  host: 'the host',
  login: 'as good a login',
  check: 'the check',
  port: 'the port',
  page: 'the page',
};

const lacksText = (counts: LackCounts): string =>
  Lack.options
    .flatMap((lack) => (counts[lack] === undefined ? [] : [`${LACKING[lack]} for ${counts[lack]}`]))
    .join(', ');

function nextStep({ counts, sharesPlaces, nextCursor }: ComparisonPage): string {
  if (!sharesPlaces) return 'Next: list_scans with target shows scans of the same place.';
  if (nextCursor !== undefined) return 'More with next_cursor.';
  if (counts.new + counts.newly_visible + counts.changed > 0) return 'Next: get_finding shows one in full.';
  if (counts.not_observed > 0) return 'Next: to prove a fix, scan there again with the same ports, checks and access.';
  return counts.persisting > 0 ? 'Next: get_scan_results of the later scan shows what persists.' : '';
}
