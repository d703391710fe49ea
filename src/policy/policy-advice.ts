import { AppError } from '../model/errors.ts';
import { bitsOf, countOf, overlap } from './address.ts';
import { parseEntry } from './entry.ts';
import { lastMoment, parsePolicy } from './policy-schema.ts';
import { deniesByName, isActive, namesTarget, rulesFor, type AllowRule, type DenyRule, type Matcher } from './rules.ts';
import { parseTarget } from './target.ts';

/** A day from which on an entry would never hold is a slip of the pen. @throws AppError invalid_request */
export function checkExpires(day: string, list: 'allow' | 'deny', now: number): void {
  const moment = /^\d{4}-\d{2}-\d{2}$/.test(day) ? lastMoment(day) : Number.NaN;
  const wrong = (why: string) => new AppError('invalid_request', `--expires ${JSON.stringify(day)}: ${why}.`);
  if (list === 'deny') throw wrong('a deny entry holds until it is removed');
  if (Number.isNaN(moment)) throw wrong('must be a date like 2027-01-31');
  if (moment <= now) throw wrong('that day has passed, so the entry would allow nothing');
}

/** What an operator should know about an entry that now stands in the file: sentences, mostly none. */
export function adviceOn(
  {
    list,
    entry,
    tenant,
  }: { readonly list: 'allow' | 'deny'; readonly entry: string; readonly tenant?: string | undefined },
  yamlText: string,
  now: number,
): string[] {
  const written = parsePolicy(yamlText);
  const rules = tenant === undefined ? written : rulesFor(written, tenant);
  if (list === 'allow') {
    const warning = wideWarning(entry, rules.maxHosts);
    return warning === undefined ? [] : [warning];
  }
  const closed = allowsClosedBy(entry, rules.allow, now);
  return closed.length === 0
    ? []
    : [`Deny wins: ${closed.join(', ')} is allowed, and what ${entry} covers of it is closed all the same.`];
}

const SPECIAL_STAYS =
  'Metadata, link-local, multicast and broadcast addresses stay closed, and so do private, loopback and other special ' +
  'ranges, unless an entry lies inside them.';

/** What an entry opens that is wider than one scan may be; undefined for the others. */
export function wideWarning(entry: string, maxHosts: number): string | undefined {
  const parsed = parseEntry(entry);
  const wide = parsed.ok ? parsed.matcher.ranges.find((range) => countOf(range) > BigInt(maxHosts)) : undefined;
  if (!wide || entry === 'localhost') return undefined;
  const count = countOf(wide);
  const isFamily = count === 1n << BigInt(bitsOf(wide.family));
  const many =
    wide.family === 4
      ? `${count.toLocaleString('en-US')} addresses`
      : `about 2^${count.toString(2).length - 1} addresses`;
  const what = isFamily ? `every IPv${wide.family} address there is (${many})` : many;
  return `Warning: ${entry} opens ${what}; one scan covers at most ${maxHosts} of them. ${SPECIAL_STAYS}`;
}

/** Entries that allow something the deny entry closes. */
export function allowsClosedBy(deny: string, allow: readonly AllowRule[], now: number): string[] {
  const closing = parseEntry(deny);
  if (!closing.ok) return [];
  const isNamed = (rule: DenyRule): boolean => {
    const { matcher } = closing;
    const { suffix } = rule.matcher;
    const byRange = rule.matcher.ranges.some((range) => matcher.ranges.some((own) => overlap(range, own)));
    if (byRange || named(matcher, rule)) return true;
    if (matcher.suffix === undefined) return namesTarget(rule.matcher, parseTarget(deny));
    return (
      suffix !== undefined &&
      (`.${suffix}`.endsWith(`.${matcher.suffix}`) || `.${matcher.suffix}`.endsWith(`.${suffix}`))
    );
  };
  return allow.filter((rule) => isActive(rule, now) && isNamed(rule)).map(({ text }) => text);
}

const named = (deny: Matcher, { text, matcher }: DenyRule): boolean =>
  matcher.suffix === undefined && deniesByName(deny, parseTarget(text));
