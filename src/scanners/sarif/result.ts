import { createHash } from 'node:crypto';
import { Occurrence } from '../../model/finding.ts';
import type { RuleFacts } from '../../model/finding.ts';
import { SarifResultExtra } from '../../model/sarif-extra.ts';
import { defined, isObject, listOf, objectOf, textOf, type JsonObject } from '../json-fields.ts';
import { nameTag, plainToken } from '../plain-name.ts';
import type { RuleInput } from '../rule-cache.ts';
import { namedCves, withoutSecretWords } from '../rule-words.ts';
import { messageOf } from './message.ts';
import { sarifPlace } from './place.ts';
import { confidenceOf, justificationOf, ratingOf, stateOf } from './rating.ts';
import { findRule, type FoundRule, type SarifRule } from './rules.ts';
import type { SarifRun } from './run.ts';
import { cvesIn, cwesIn } from './weaknesses.ts';

/** A result in the two parts of a finding. */
export interface SarifFinding {
  readonly rule: RuleFacts;
  readonly occurrence: Occurrence;
}

/** @throws ZodError when it cannot be a finding */
export function sarifFinding(result: JsonObject, run: SarifRun, intern: (input: RuleInput) => RuleFacts): SarifFinding {
  const found = identified(result, run);
  const own = run.own && ownFinding(result, found);
  if (own) return own;
  return {
    rule: intern(ruleFacts(result, found, run)),
    occurrence: Occurrence.parse(occurrenceOf(result, found, run)),
  };
}

/** What scanmux itself exported comes back as it was. */
function ownFinding(result: JsonObject, { rule: descriptor }: FoundRule): SarifFinding | undefined {
  const extra = SarifResultExtra.safeParse(objectOf(result['properties'])['scanmux']);
  if (!extra.success) return undefined;
  const { rule: ownRule, finding_id: _id, injection_signals: _signals, ...occurrence } = extra.data;
  const rule = ownRule ?? descriptor?.own;
  return rule && { rule, occurrence };
}

const MAX_RULES_BY_TEXT = 500;

/** Some tools (gitleaks 7) name the rule only in the message, at its beginning. */
function identified(result: JsonObject, run: SarifRun): FoundRule {
  const found = findRule(result, run.driver, run.extensions);
  const { rules } = run.driver;
  if (found.id !== undefined || found.rule || rules.length > MAX_RULES_BY_TEXT) return found;
  const text = messageOf(result['message'], undefined, run.driver) ?? '';
  const named = rules
    .filter(({ id }) => id !== '' && text.startsWith(id))
    .toSorted((a, b) => b.id.length - a.id.length)[0];
  return named ? { ...found, id: named.id, rule: named } : found;
}

const NO_NAME = 'unnamed tool';

function ruleFacts(result: JsonObject, found: FoundRule, run: SarifRun): RuleInput {
  const { id, rule } = found;
  const driver = run.driver.name ?? NO_NAME;
  const words: ReturnType<typeof wordsOf> = rule ? wordsOf(rule) : {};
  return {
    rule_id: `${driver}/${id ?? 'unnamed'}`,
    rule_family: driver,
    title: `Result of ${driver}`,
    ...ratingOf(result, rule, run.overrides.levelOf(result, found, run.driver, run.extensions)),
    ...defined({ title: id, confidence: confidenceOf(rule) }),
    ...words,
    ...namedCves(cvesIn(id, rule), words.description),
    references: listOf(rule?.helpUri).flatMap((uri) => textOf(uri) ?? []),
    cwes: cwesIn(result, rule, run.taxonomies),
  };
}

function wordsOf({ name, shortDescription, fullDescription, help }: SarifRule) {
  const description = fullDescription ?? shortDescription;
  return defined({
    title: shortDescription ?? name ?? fullDescription,
    description,
    solution: help === description ? undefined : help,
  });
}

function occurrenceOf(result: JsonObject, found: FoundRule, run: SarifRun) {
  const { rule, component } = found;
  const fingerprint = fingerprintOf(result);
  // A tool may take any words for it, a commit message for one.
  const isOdd = fingerprint !== undefined && plainToken(fingerprint) === undefined;
  const justification = justificationOf(result)?.slice(0, MAX_WORDS);
  const message = linesOf([
    messageOf(result['message'], rule, component),
    justification === undefined ? undefined : `suppressed because: ${justification}`,
    isOdd ? `fingerprint: ${fingerprint.slice(0, MAX_WORDS)}` : undefined,
  ]);
  const snippet = snippetOf(result);
  const { location, host } = sarifPlace(result, run);
  if (host !== undefined) run.hosts.add(host);
  const hide = isAboutSecrets(found, run) ? withoutSecretWords : (text: string): string => text;
  return {
    location,
    untrusted: defined({
      output: message === undefined ? undefined : hide(message),
      response: snippet === undefined ? undefined : hide(snippet),
    }),
    ...defined({ discriminator: isOdd ? nameTag(fingerprint) : fingerprint, report_state: stateOf(result) }),
  };
}

const MAX_WORDS = 4_000;
const linesOf = (lines: readonly (string | undefined)[]): string | undefined =>
  lines.filter((line) => line !== undefined).join('\n') || undefined;

function snippetOf(result: JsonObject): string | undefined {
  for (const location of listOf(result['locations']).slice(0, 20)) {
    const physical = objectOf(objectOf(location)['physicalLocation']);
    for (const region of [physical['region'], physical['contextRegion']]) {
      const text = textOf(objectOf(objectOf(region)['snippet'])['text']);
      if (text !== undefined) return text.slice(0, 8_000);
    }
  }
  return undefined;
}

/** What such a tool quotes is the secret itself, which must not go to whoever reads findings. */
function isAboutSecrets({ id, rule }: FoundRule, run: SarifRun): boolean {
  const tags = listOf(rule?.properties['tags']).slice(0, 50);
  const words = [run.driver.name, id, rule?.name, rule?.shortDescription, ...tags].flatMap(
    (word) => textOf(word)?.slice(0, 1_000) ?? [],
  );
  return words.some((word) => /secret|credential|gitleaks|trufflehog|ggshield|password|api.?key|token/i.test(word));
}

/** GitHub's name for a hash of the line and its neighbours: survives moves within the file. */
const LINE_HASH = 'primaryLocationLineHash';

/**
 * What the tool itself tells results apart by. `fingerprints` are stable by definition, `partialFingerprints` as far as
 * the tool can; all of them together when none is known to be enough.
 */
function fingerprintOf(result: JsonObject): string | undefined {
  const whole = Object.entries(objectOf(result['fingerprints']));
  const partial = Object.entries(objectOf(result['partialFingerprints']));
  const line = partial.find(([key]) => key === LINE_HASH || key.startsWith(`${LINE_HASH}/`));
  if (whole.length === 0 && line) return printOf(line[1]);
  const entries = (whole.length > 0 ? whole : partial).slice(0, 50).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return undefined;
  const [only, second] = entries;
  return only && !second ? printOf(only[1]) : hashOf(entries);
}

/** A text by definition; some tools write an object. */
const printOf = (value: unknown): string | undefined => (isObject(value) ? hashOf(value) : textOf(value));

const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
