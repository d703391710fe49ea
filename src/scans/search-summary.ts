import type { FoundAnswer } from '../model/contract/search.ts';
import { Severity } from '../model/finding.ts';
import type { Hits } from './search-hits.ts';
import type { Outcome } from './search-findings.ts';
import type { HostCounts } from './search-hosts.ts';
import { MOST_SCANS } from './search-scans.ts';

const SEVERITIES = Severity.options;

const counted = (n: number, one: string, many: string): string => `${n} ${n === 1 ? one : many}`;

/** Our own words and numbers only, as in summaries.ts. */
export function searchSummary(outcome: Outcome, answer: FoundAnswer, seen: HostCounts): string {
  const { hits } = outcome;
  const isAll = hits.total === 0;
  const suppressed =
    hits.suppressed > 0 && !isAll ? ` ${hits.suppressed} suppressed (include_suppressed shows them).` : '';
  const more = hits.nextCursor === undefined ? '' : ' More with next_cursor.';
  return `${firstSentence(outcome, answer, seen)}${suppressed}${gonePart(outcome)}${olderPart(outcome, answer)}${namesPart(outcome, answer)}${more}${nextPart(outcome, answer)}`;
}

/** What to do with it, where no reason says so. */
function nextPart({ hits, below }: Outcome, answer: FoundAnswer): string {
  if (answer === 'found' && below === undefined && hits.total > 0) return ' Next: get_finding with a finding_id.';
  if (answer === 'not_found') return ' Next: get_scan_results of one of scans shows its coverage.';
  return '';
}

/** What a report lists as gone is not found, and must not be passed over either. */
function gonePart({ hits: { gone } }: Outcome): string {
  if (gone === 0) return '';
  const are = gone === 1 ? '1 finding is' : `${gone} findings are`;
  return ` ${are} only listed by a report as gone since its baseline (absent), and not counted.`;
}

/** Older scans are not searched by default; that they found more must not be passed over. */
function olderPart({ older }: Outcome, answer: FoundAnswer): string {
  // Where nothing disproves it, it is the first reason of an open answer.
  if (older === undefined || older.findings === 0 || older.isOpen) return '';
  const more = answer === 'found' ? 'more ' : '';
  const count = counted(older.findings, `${more}finding`, `${more}findings`);
  return ` Older scans had ${count} (in ${counted(older.scans, 'scan', 'scans')}) that the newest do not show; latest_only false shows them.`;
}

function firstSentence(outcome: Outcome, answer: FoundAnswer, seen: HostCounts): string {
  const where = `${counted(outcome.searched.scans.length, 'scan', 'scans')} of ${places(seen.looked, seen)}`;
  switch (answer) {
    case 'found':
      if (outcome.below) return belowFilter(outcome.below, where);
      return foundSentence(outcome, seen);
    case 'not_found':
      return outcome.question.filter.text === undefined
        ? `Not found in ${where}: on each of them a check for it ran and found nothing.`
        : `Not found in ${where}: on each of them every known check that these words name ran. Other words could name it.`;
    case 'cannot_tell':
      return `Cannot tell: no finding in ${where}, but that proves nothing. ${reasons(outcome, seen).join(' ')}`;
  }
}

const places = (n: number, { areHosts }: HostCounts): string =>
  areHosts ? counted(n, 'host', 'hosts') : counted(n, 'place', 'places');

/** What was found must not read as if it were in all that was searched. */
function foundSentence(outcome: Outcome, seen: HostCounts): string {
  const { hits, searched } = outcome;
  const on = seen.having > 0 ? ` on ${places(seen.having, seen)}` : '';
  const where = `${on}, in ${hits.scansWith} of ${counted(searched.scans.length, 'scan', 'scans')} searched (${places(seen.looked, seen)}).`;
  const blind = seen.looked - seen.couldDetect;
  const rest = listed(
    blind > 0 && ` On ${blind} of these it is not proven that a check for it ran.`,
    seen.unseen > 0 && ` ${unseenPart(outcome, seen)}`,
  ).join('');
  if (hits.total > 0) return `Found: ${counted(hits.total, 'finding', 'findings')}${where}${rest}`;
  const all = counted(hits.suppressed, 'finding', 'findings');
  return `Found, but every finding is suppressed: ${all}${where} This is not a clean result: total is 0 because suppressed findings are not counted in it. include_suppressed true shows them and why.${rest}`;
}

/** Older scans are not searched by default; that they found it must not be passed over. */
function olderReason({ older }: Outcome): string[] {
  if (older === undefined || older.findings === 0 || !older.isOpen) return [];
  const { findings, scans } = older;
  return [
    `Older scans found it and nothing disproves it since: ${counted(findings, 'finding', 'findings')} in ${counted(scans, 'scan', 'scans')}; latest_only false shows them.`,
  ];
}

const unseenPart = ({ input }: Outcome, { unseen }: HostCounts): string =>
  input.finished_after !== undefined
    ? `${counted(unseen, 'more host was', 'more hosts were')} not looked at since finished_after.`
    : `${counted(unseen, 'host was', 'hosts were')} asked for and not looked at.`;

function belowFilter({ total, suppressed, findings: [first] }: Hits, where: string): string {
  const severity = SEVERITIES.find((level) => level === first?.['severity']);
  const rated = severity === undefined ? '' : ` (${severity})`;
  const count = counted(total + suppressed, 'finding', 'findings');
  return `It is there, but nothing passes the filters on ratings: ${count}${rated} in ${where} without them. Next: leave them out.`;
}

/** Why absence says nothing, in the order of what would have to be done first. */
function reasons(outcome: Outcome, seen: HostCounts): string[] {
  const { searched, unreadable, question } = outcome;
  const { inQuestion, addresses, unplaced, isCut } = searched;
  const older = olderReason(outcome);
  const names = unplaced.length > 0 && `${unplacedPart(outcome)}: it may be one of these. Next: ask by name.`;
  if (inQuestion === 0) {
    const next =
      question.wanted.isByAddress || question.wanted.everywhere ? 'run a scan' : 'ask by its address, or run a scan';
    return listed(...older, `No finished scan looked there. Next: ${next}.`, names);
  }
  const unknown = question.wanted.addresses - addresses;
  const all = listed(
    ...older,
    ...checkReasons(outcome),
    standingReason(outcome),
    !isCut && seen.unseen > 0 && unseenPart(outcome, seen),
    unknown > 0 && `${counted(unknown, 'address was', 'addresses were')} never asked for.`,
    names,
    blindReason(outcome, seen),
    question.filter.text !== undefined && 'Other words could name it.',
    isCut && `Only the newest ${MOST_SCANS} scans were searched.`,
    unreadable > 0 && `${counted(unreadable, 'scan', 'scans')} could not be read.`,
  );
  return all.some((reason) => reason.includes('Next: ')) ? all : [...all, nextReason(outcome)];
}

/** Of an open answer, what would close it. */
function nextReason({ detected: { isKnown } }: Outcome): string {
  if (isKnown === undefined) return 'Next: name a CVE, rule or text.';
  return isKnown
    ? 'Next: run a scan there with such a check.'
    : 'Next: list_scanners tells which engines look for what.';
}

const listed = (...parts: readonly (string | false | undefined)[]): string[] =>
  parts.filter((part) => part !== false && part !== undefined);

const checkReasons = ({ detected: { isKnown }, similar }: Outcome): string[] =>
  listed(
    isKnown === false && 'No engine that was used is known to have a check for it.',
    similar.length > 0 && 'Next: one of the rule ids in did_you_mean.',
    isKnown === undefined &&
      'The question names no CVE, rule or text, so only scans that ran every check could answer it.',
  );

/** Who scanned a name has not looked at other names of its address. */
function blindReason({ detected, searched: { scans } }: Outcome, { looked, couldDetect }: HostCounts): string | false {
  const blind = looked - couldDetect;
  if (detected.isKnown !== true || blind === 0) return false;
  const isByOtherName = scans.some(({ places: asked }) => asked.some(({ by }) => by !== undefined));
  const why = isByOtherName ? ' (a look under one name of an address does not count for its other names)' : '';
  return `On ${counted(blind, 'host', 'hosts')} it is not proven that the check ran${why}.`;
}

/** A newer scan that did not look there again disproves nothing. */
const standingReason = ({ standing: { hosts } }: Outcome): string | false =>
  hosts > 0 &&
  `On ${counted(hosts, 'host', 'hosts')} an older scan found it, and no newer one is proven to have looked there again: ` +
    'same port, page and access.';

const unplacedPart = ({ searched: { unplaced } }: Outcome): string =>
  `${counted(unplaced.length, 'host was', 'hosts were')} scanned by a name whose address is not known (hosts.by_name_only)`;

/** One address is answered for by the look at it; what else it may be called must not be passed over. */
function namesPart(outcome: Outcome, answer: FoundAnswer): string {
  if (answer !== 'not_found' || outcome.searched.unplaced.length === 0) return '';
  return ` ${unplacedPart(outcome)}: ask for them by name.`;
}
