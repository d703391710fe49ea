import type { ScanRecord } from '../model/scan.ts';
import type { ChangeCounts, ComparisonPage } from '../findings/comparison.ts';
import { isoTime } from './time.ts';

/** Our own words and numbers only, as in summaries.ts. */
export function comparisonSummary(
  head: ScanRecord,
  base: ScanRecord,
  page: ComparisonPage,
  isFiltered: boolean,
): string {
  const { counts, suppressed, nextCursor } = page;
  const sentences = [
    `Compared with scan ${base.scanId}, which finished ${isoTime(base.finishedAt ?? 0)}${isFiltered ? ' (only what matches the filters)' : ''}: ${countsText(counts)}.`,
    ...(page.comparedBy === 'cve' ? [crossEngine(page)] : caveats(head, counts)),
    ...(suppressed > 0 ? [`${suppressed} more ${suppressed === 1 ? 'is' : 'are'} suppressed.`] : []),
    ...(nextCursor === undefined ? [] : ['More with next_cursor.']),
  ];
  return sentences.join(' ');
}

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

/** What the two words that say the least mean, where they occur. */
function caveats({ result }: ScanRecord, { newly_visible: visible, not_observed: missing }: ChangeCounts): string[] {
  const partial = result?.verdict === 'complete' ? '' : ' (its picture is partial)';
  return [
    ...(missing > 0
      ? [`Not observed is not fixed: nothing proves that the later scan${partial} looked there again.`]
      : []),
    ...(visible > 0 ? ['Newly visible may be old: nothing proves that the earlier scan looked there.'] : []),
  ];
}
