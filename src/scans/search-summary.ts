import type { FoundAnswer } from '../model/contract/search.ts';
import { Severity } from '../model/finding.ts';
import type { Hits } from './search-hits.ts';
import type { Outcome } from './search-findings.ts';
import { MOST_SCANS } from './search-scans.ts';

const SEVERITIES = Severity.options;

const counted = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

interface Seen {
  /** Hosts in question that were looked at. */
  readonly looked: number;
  /** Hosts in question where no check for it is proven to have run. */
  readonly blind: number;
}

/** Our own words and numbers only, as in summaries.ts. */
export function searchSummary(outcome: Outcome, answer: FoundAnswer, { looked, blind }: Seen): string {
  const { hits, searched } = outcome;
  const where = `${counted(searched.scans.length, 'scan', 'scans')} of ${counted(looked, 'host', 'hosts')}`;
  const suppressed = hits.suppressed > 0 ? ` ${hits.suppressed} suppressed (include_suppressed shows them).` : '';
  const more = hits.nextCursor === undefined ? '' : ' More with next_cursor.';
  return `${firstSentence(outcome, answer, { where, blind })}${suppressed}${more}`;
}

function firstSentence(
  outcome: Outcome,
  answer: FoundAnswer,
  { where, blind }: { where: string; blind: number },
): string {
  const { hits } = outcome;
  switch (answer) {
    case 'found': {
      if (outcome.below && hits.total + hits.suppressed === 0) return belowFilter(outcome.below, where);
      const rest =
        blind > 0 ? ` Of ${counted(blind, 'host', 'hosts')} it is not proven that a check for it ran there.` : '';
      return `Found: ${counted(hits.total, 'finding', 'findings')} in ${where}.${rest}`;
    }
    case 'not_found':
      return `Not found in ${where}: on each of them a check for it ran and found nothing.`;
    case 'cannot_tell':
      return `Cannot tell: no finding in ${where}, but that proves nothing. ${reasons(outcome).join(' ')}`;
  }
}

function belowFilter({ total, suppressed, findings: [first] }: Hits, where: string): string {
  const severity = SEVERITIES.find((level) => level === first?.['severity']);
  const rated = severity === undefined ? '' : ` (${severity})`;
  const count = counted(total + suppressed, 'finding', 'findings');
  return `It is there, but nothing passes the filters on ratings: ${count}${rated} in ${where} without them. Next: leave them out.`;
}

/** Why absence says nothing, in the order of what would have to be done first. */
function reasons({ detected, searched, unreadable, question }: Outcome): string[] {
  const { inQuestion, scans, isCut } = searched;
  if (inQuestion.size === 0) return ['No finished scan looked there. Next: run a scan.'];
  const looked = new Set(scans.flatMap(({ places }) => places));
  const unseen = inQuestion.size - looked.size;
  const blind = [...looked].filter((place) => !detected.places.has(place)).length;
  const unknown = question.wanted.addresses - inQuestion.size;
  return [
    ...(detected.isKnown === false ? ['No engine that was used is known to have a check for it.'] : []),
    ...(detected.isKnown === undefined
      ? ['The question names no CVE, rule or text, so only scans that ran every check could answer it.']
      : []),
    ...(unseen > 0 ? [`${counted(unseen, 'host was', 'hosts were')} asked for and not looked at.`] : []),
    ...(unknown > 0 ? [`${counted(unknown, 'address was', 'addresses were')} never asked for.`] : []),
    ...(detected.isKnown === true && blind > 0
      ? [`On ${counted(blind, 'host', 'hosts')} it is not proven that the check ran.`]
      : []),
    ...(isCut ? [`Only the newest ${MOST_SCANS} scans were searched.`] : []),
    ...(unreadable > 0 ? [`${counted(unreadable, 'scan', 'scans')} could not be read.`] : []),
  ];
}
