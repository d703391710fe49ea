import type { Occurrence, RuleFacts } from '../model/finding.ts';
import type { ReportEvent, ReportSource } from '../model/report.ts';

type Mask = (text: string) => string;

/** Words of a report that may repeat what a scanner was told; numbers, ids, addresses and fixed words are left alone. */
export async function* maskedEvents(events: AsyncIterable<ReportEvent>, mask: Mask): AsyncGenerator<ReportEvent> {
  /** An equal rule must stay the same object. */
  const rules = new WeakMap<RuleFacts, RuleFacts>();
  const ruleOf = (rule: RuleFacts): RuleFacts => {
    const known = rules.get(rule) ?? maskedRule(rule, mask);
    rules.set(rule, known);
    return known;
  };
  for await (const event of events) yield maskedEvent(event, mask, ruleOf);
}

function maskedEvent(event: ReportEvent, mask: Mask, ruleOf: (rule: RuleFacts) => RuleFacts): ReportEvent {
  switch (event.kind) {
    case 'finding':
      return { kind: 'finding', finding: maskedOccurrence(maskedRule(event.finding, mask), mask) };
    case 'occurrence':
      return { ...event, rule: ruleOf(event.rule), occurrence: maskedOccurrence(event.occurrence, mask) };
    case 'place': {
      const { reason } = event.place;
      return reason === undefined ? event : { ...event, place: { ...event.place, reason: mask(reason) } };
    }
    case 'checks':
      return { ...event, lookedFor: event.lookedFor.map(mask), notLookedFor: event.notLookedFor.map(mask) };
    case 'source':
      return { ...event, source: maskedSource(event.source, mask) };
    case 'login_problem':
    case 'scope':
    case 'end':
      return event;
  }
}

/** The same object when nothing in it is secret. */
function maskedRule<Rule extends RuleFacts>(rule: Rule, mask: Mask): Rule {
  const { title, description, solution, references } = rule;
  const made = {
    ...rule,
    title: mask(title),
    ...(description === undefined ? {} : { description: mask(description) }),
    ...(solution === undefined ? {} : { solution: mask(solution) }),
    references: references.map(mask),
  };
  const isSame =
    made.title === title &&
    made.description === description &&
    made.solution === solution &&
    made.references.every((text, index) => text === references[index]);
  return isSame ? rule : made;
}

function maskedOccurrence<Seen extends Occurrence>(seen: Seen, mask: Mask): Seen {
  const { location, untrusted, discriminator, report_state: state } = seen;
  return {
    ...seen,
    location: { ...location, ...maskedParts(location, ['service', 'url', 'parameter', 'file'], mask) },
    untrusted: { ...untrusted, ...maskedParts(untrusted, ['output', 'banner', 'title', 'response'], mask) },
    ...(discriminator === undefined ? {} : { discriminator: mask(discriminator) }),
    ...(state === undefined ? {} : { report_state: mask(state) }),
  };
}

const maskedSource = (source: ReportSource, mask: Mask): ReportSource => ({
  ...source,
  ...maskedParts(source, ['tool', 'version', 'title'], mask),
});

/** Those of the named keys that are there, masked. */
function maskedParts<Key extends string>(
  texts: Readonly<Partial<Record<Key, string | undefined>>>,
  keys: readonly Key[],
  mask: Mask,
): Record<string, string> {
  return Object.fromEntries(
    keys.flatMap((key): [string, string][] => {
      const text = texts[key];
      return text === undefined ? [] : [[key, mask(text)]];
    }),
  );
}
