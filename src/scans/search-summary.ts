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
  /** Hosts with a match. */
  readonly having: number;
  /** No files or images are among them. */
  readonly areHosts: boolean;
  /** Hosts in question where no check for it is proven to have run. */
  readonly blind: number;
}

/** Our own words and numbers only, as in summaries.ts. */
export function searchSummary(outcome: Outcome, answer: FoundAnswer, seen: Seen): string {
  const { hits } = outcome;
  const isAll = hits.total === 0;
  const suppressed =
    hits.suppressed > 0 && !isAll ? ` ${hits.suppressed} suppressed (include_suppressed shows them).` : '';
  const more = hits.nextCursor === undefined ? '' : ' More with next_cursor.';
  return `${firstSentence(outcome, answer, seen)}${suppressed}${more}`;
}

function firstSentence(outcome: Outcome, answer: FoundAnswer, seen: Seen): string {
  const where = `${counted(outcome.searched.scans.length, 'scan', 'scans')} of ${places(seen.looked, seen)}`;
  switch (answer) {
    case 'found':
      if (outcome.below && outcome.hits.total + outcome.hits.suppressed === 0) return belowFilter(outcome.below, where);
      return foundSentence(outcome, seen);
    case 'not_found':
      return outcome.question.filter.text === undefined
        ? `Not found in ${where}: on each of them a check for it ran and found nothing.`
        : `Not found in ${where}: on each of them every known check that these words name ran. Other words could name it.`;
    case 'cannot_tell':
      return `Cannot tell: no finding in ${where}, but that proves nothing. ${reasons(outcome).join(' ')}`;
  }
}

const places = (n: number, { areHosts }: Seen): string =>
  areHosts ? counted(n, 'host', 'hosts') : counted(n, 'place', 'places');

/** What was found must not read as if it were in all that was searched. */
function foundSentence({ hits, searched }: Outcome, seen: Seen): string {
  const on = seen.having > 0 ? ` on ${places(seen.having, seen)}` : '';
  const where = `${on}, in ${hits.scansWith} of ${counted(searched.scans.length, 'scan', 'scans')} searched (${places(seen.looked, seen)}).`;
  const rest = seen.blind > 0 ? ` Of ${places(seen.blind, seen)} it is not proven that a check for it ran there.` : '';
  if (hits.total > 0) return `Found: ${counted(hits.total, 'finding', 'findings')}${where}${rest}`;
  const all = hits.suppressed === 1 ? '1 finding (suppressed)' : `${hits.suppressed} findings (all suppressed)`;
  return `Found: ${all}${where} include_suppressed shows what was found.${rest}`;
}

/** Older scans are not searched by default; that they found it must not be passed over. */
function olderReason({ older }: Outcome): string[] {
  if (older === undefined || older.findings === 0) return [];
  const { findings, scans } = older;
  return [
    `Older scans found it and nothing disproves it since: ${counted(findings, 'finding', 'findings')} in ${counted(scans, 'scan', 'scans')}; latest_only false shows them.`,
  ];
}

function belowFilter({ total, suppressed, findings: [first] }: Hits, where: string): string {
  const severity = SEVERITIES.find((level) => level === first?.['severity']);
  const rated = severity === undefined ? '' : ` (${severity})`;
  const count = counted(total + suppressed, 'finding', 'findings');
  return `It is there, but nothing passes the filters on ratings: ${count}${rated} in ${where} without them. Next: leave them out.`;
}

/** Why absence says nothing, in the order of what would have to be done first. */
function reasons(outcome: Outcome): string[] {
  const { detected, searched, unreadable, question } = outcome;
  const { inQuestion, scans, isCut } = searched;
  if (inQuestion.size === 0) return ['No finished scan looked there. Next: run a scan.'];
  const looked = new Set(scans.flatMap(({ places }) => places));
  const unseen = inQuestion.size - looked.size;
  const blind = [...looked].filter((place) => !detected.places.has(place)).length;
  const unknown = question.wanted.addresses - inQuestion.size;
  return [
    ...olderReason(outcome),
    ...(detected.isKnown === false ? ['No engine that was used is known to have a check for it.'] : []),
    ...(detected.isKnown === undefined
      ? ['The question names no CVE, rule or text, so only scans that ran every check could answer it.']
      : []),
    ...(unseen > 0 ? [`${counted(unseen, 'host was', 'hosts were')} asked for and not looked at.`] : []),
    ...(unknown > 0 ? [`${counted(unknown, 'address was', 'addresses were')} never asked for.`] : []),
    ...(detected.isKnown === true && blind > 0
      ? [`On ${counted(blind, 'host', 'hosts')} it is not proven that the check ran.`]
      : []),
    ...(question.filter.text === undefined ? [] : ['Other words could name it.']),
    ...(isCut ? [`Only the newest ${MOST_SCANS} scans were searched.`] : []),
    ...(unreadable > 0 ? [`${counted(unreadable, 'scan', 'scans')} could not be read.`] : []),
  ];
}
