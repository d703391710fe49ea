import { contains, firstOf, formatRange, isSingle, overlap, type AddressRange } from './address.ts';
import { allowCommand, covers, isActive, type AllowRule, type PolicyRules } from './rules.ts';
import { ALWAYS_DENIED, embeddedIpv4, isLoopback, SPECIAL } from './special-ranges.ts';

/** The rule that decides where no entry does. */
export const DEFAULT_DENY = 'default deny';

/** A refusal in parts: `because` follows the subject (`10.1.0.0/24 is outside ...`), `fix` is for an operator. */
export interface Refusal {
  readonly rule: string;
  readonly because: string;
  readonly fix: string;
}

/** The entries that cover a place, or why none does. */
export type Verdict =
  | { readonly allowed: true; readonly by: readonly AllowRule[] }
  | ({ readonly allowed: false } & Refusal);

/** The rules as they stand for one target at one time: which ranges each live entry opens for it. */
export interface Scope {
  readonly rules: PolicyRules;
  readonly now: number;
  readonly opens: (rule: AllowRule) => readonly AddressRange[];
}

const refused = (refusal: Refusal): Verdict => ({ allowed: false, ...refusal });

/** May these addresses be scanned because they themselves are in scope? */
export function decideRange(subject: AddressRange, scope: Scope): Verdict {
  const forbidden = forbiddenIn(subject, scope, (part) => isNamedExactly(part, scope));
  if (forbidden) return refused(forbidden);
  const by = scope.rules.allow.filter((rule) => isActive(rule, scope.now) && opensTo(scope.opens(rule), subject));
  if (by.length === 0) return refused(outside(subject, scope));
  if (isNamedExactly(subject, scope)) return { allowed: true, by };
  for (const inside of embeddedIpv4(subject)) {
    const verdict = decideRange(inside, scope);
    if (!verdict.allowed) return refused(carried(subject, inside, verdict));
  }
  return { allowed: true, by };
}

/**
 * Why no name may lead to this address, whoever named the name: it is denied, loopback or always denied. A private
 * address is fine where the operator named the host.
 */
export function refuseThroughName(subject: AddressRange, scope: Scope): Refusal | undefined {
  const forbidden = forbiddenIn(subject, scope, () => false) ?? loopbackByName(subject);
  if (forbidden) return forbidden;
  for (const inside of embeddedIpv4(subject)) {
    const refusal = forbiddenIn(inside, scope, () => false) ?? loopbackByName(inside);
    if (refusal) return carried(subject, inside, refusal);
  }
  return undefined;
}

/** Loopback is reached by address or as `localhost`: any other name for it belongs to whoever runs the DNS. */
function loopbackByName(subject: AddressRange): Refusal | undefined {
  if (!isLoopback(subject)) return undefined;
  return {
    rule: 'always denied: loopback by name',
    because: 'is a loopback address, which only localhost may name',
    fix: `Scan ${firstOf(subject)} itself or localhost, where the scope has them.`,
  };
}

/** Denied whatever is allowed: deny entries, own control addresses, the always-denied ranges. */
function forbiddenIn(
  subject: AddressRange,
  { rules }: Scope,
  isExempt: (part: AddressRange) => boolean,
): Refusal | undefined {
  for (const rule of rules.deny) {
    for (const place of [subject, ...embeddedIpv4(subject)]) {
      const part = rule.matcher.ranges.map((range) => overlap(place, range)).find((found) => found !== undefined);
      if (part) return deniedBy(rule.text, subject, part);
    }
  }
  const own = rules.own.map((range) => ({ name: "scanmux's own control address", range }));
  for (const { name, range } of [...own, ...ALWAYS_DENIED]) {
    const part = overlap(subject, range);
    if (part && !isExempt(part)) return alwaysDenied(name, { subject, part }, rules);
  }
  return undefined;
}

/** An entry that is this address and nothing else. */
const isNamedExactly = (part: AddressRange, { rules, now, opens }: Scope): boolean =>
  isSingle(part) &&
  rules.allow.some(
    (rule) => isActive(rule, now) && opens(rule).some((range) => isSingle(range) && contains(range, part)),
  );

/** Contained in one range of the entry, which itself lies inside every special range the subject touches. */
function opensTo(ranges: readonly AddressRange[], subject: AddressRange): boolean {
  const special = SPECIAL.filter(({ range }) => overlap(range, subject));
  return ranges.some((outer) => contains(outer, subject) && special.every(({ range }) => contains(range, outer)));
}

function outside(subject: AddressRange, { rules, now, opens }: Scope): Refusal {
  const fix = `Operator: ${allowCommand(rules, formatRange(subject))}.`;
  const expired = rules.allow.find((rule) => !isActive(rule, now) && opensTo(opens(rule), subject));
  if (expired) {
    return {
      rule: `expired: allow ${expired.text}`,
      because: `is only in an entry that has expired (${expired.text})`,
      fix,
    };
  }
  const special = SPECIAL.find(({ range }) => overlap(range, subject));
  const wide = rules.allow.find((rule) => isActive(rule, now) && covers(opens(rule), subject));
  if (special && wide) {
    const because = `is ${special.name} (${formatRange(special.range)}), which ${wide.text} is too wide to open`;
    return { rule: DEFAULT_DENY, because, fix };
  }
  return { rule: DEFAULT_DENY, because: 'is outside the scope (default deny)', fix };
}

function deniedBy(text: string, subject: AddressRange, part: AddressRange): Refusal {
  const whole = contains(part, subject) || part.family !== subject.family;
  return {
    rule: `deny ${text}`,
    because: whole
      ? `is denied by the policy (deny ${text})`
      : `contains ${formatRange(part)}, which the policy denies (deny ${text})`,
    fix: whole
      ? `Operator: take ${text} out of \`deny\` in the policy file.`
      : `Leave ${formatRange(part)} out, or operator: take ${text} out of \`deny\` in the policy file.`,
  };
}

function alwaysDenied(
  name: string,
  { subject, part }: { readonly subject: AddressRange; readonly part: AddressRange },
  rules: PolicyRules,
): Refusal {
  const whole = contains(part, subject);
  const rule = `always denied: ${name}`;
  const because = whole
    ? `is always denied (${name})`
    : `contains ${formatRange(part)}, which is always denied (${name})`;
  if (!whole) return { rule, because, fix: `Leave ${formatRange(part)} out.` };
  const exact = isSingle(subject)
    ? `It must be named exactly. Operator: ${allowCommand(rules, firstOf(subject))}.`
    : 'Each address must be named exactly by an operator; no network opens it.';
  return { rule, because, fix: exact };
}

const carried = (subject: AddressRange, inside: AddressRange, refusal: Refusal): Refusal => ({
  rule: refusal.rule,
  because: `carries ${formatRange(inside)}, which ${refusal.because}`,
  fix: `${refusal.fix} Or name ${formatRange(subject)} exactly.`,
});
