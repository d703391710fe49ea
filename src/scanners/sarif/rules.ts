import type { RuleFacts } from '../../model/finding.ts';
import { SarifRuleExtra } from '../../model/sarif-extra.ts';
import { isObject, listOf, objectOf, textOf, textsOf, wholeOf, type JsonObject } from '../json-fields.ts';

/** What is kept of a rule of a tool: its own words, none of its configuration. */
export interface SarifRule {
  readonly id: string;
  /** In one spelling. */
  readonly guid: string | undefined;
  readonly name: string | undefined;
  readonly shortDescription: string | undefined;
  readonly fullDescription: string | undefined;
  readonly help: string | undefined;
  readonly helpUri: string | undefined;
  readonly level: string | undefined;
  readonly messages: JsonObject;
  readonly relationships: readonly unknown[];
  readonly properties: JsonObject;
  /** The facts as scanmux itself wrote them. */
  readonly own: RuleFacts | undefined;
}

/** Of one text of a rule; longer ones are cut anyway when they are shown. */
const MAX_TEXT = 6_000;
const MAX_LIST = 200;

const messageText = (message: unknown): string | undefined => {
  const { text, markdown } = objectOf(message);
  return (textOf(text) ?? textOf(markdown))?.slice(0, MAX_TEXT);
};

/** The value as far as it is small; a property bag of a hostile report may hold anything. */
export const bounded = (value: unknown): JsonObject =>
  isObject(value) && JSON.stringify(value).length <= MAX_TEXT * 4 ? value : {};

/** Of a property bag what is ever read: the rest may be as large as it likes. */
const heard = (properties: JsonObject): JsonObject => ({
  ...Object.fromEntries(
    ['security-severity', 'precision'].flatMap((key) => {
      const text = textOf(properties[key])?.slice(0, 100);
      return text === undefined ? [] : [[key, text]];
    }),
  ),
  ...Object.fromEntries(
    ['tags', 'cve', 'cwe'].flatMap((key) => {
      const texts = shortTexts(properties[key]);
      return texts.length === 0 ? [] : [[key, texts]];
    }),
  ),
});

const MAX_TAGS = 50_000;
const shortTexts = (value: unknown): readonly string[] => textsOf(value, MAX_TAGS).map((text) => text.slice(0, 300));

export function ruleOf(value: unknown): SarifRule | undefined {
  if (!isObject(value)) return undefined;
  return {
    id: textOf(value['id']) ?? '',
    guid: guidOf(value['guid']),
    name: textOf(value['name'])?.slice(0, MAX_TEXT),
    shortDescription: messageText(value['shortDescription']),
    fullDescription: messageText(value['fullDescription']),
    help: messageText(value['help']),
    helpUri: textOf(value['helpUri'])?.slice(0, MAX_TEXT),
    level: textOf(objectOf(value['defaultConfiguration'])['level']),
    messages: bounded(value['messageStrings']),
    relationships: listOf(value['relationships']).slice(0, MAX_LIST),
    properties: heard(objectOf(value['properties'])),
    own: ownFacts(objectOf(value['properties'])['scanmux']),
  };
}

const guidOf = (value: unknown): string | undefined => textOf(value)?.trim().slice(0, 100).toLowerCase();

function ownFacts(value: unknown): RuleFacts | undefined {
  if (value === undefined) return undefined;
  const parsed = SarifRuleExtra.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** Of one component. */
const MAX_RULES = 100_000;

/** The driver or an extension. */
export interface Component {
  name: string | undefined;
  guid: string | undefined;
  version: string | undefined;
  semanticVersion: string | undefined;
  messages: JsonObject;
  readonly rules: SarifRule[];
  readonly byId: Map<string, SarifRule>;
  readonly byGuid: Map<string, SarifRule>;
}

export const newComponent = (): Component => ({
  name: undefined,
  guid: undefined,
  version: undefined,
  semanticVersion: undefined,
  messages: {},
  rules: [],
  byId: new Map(),
  byGuid: new Map(),
});

/**
 * False when the value is no rule.
 * @param budget What may still be kept of the run; when it is used up, a rule is known by its id and level only.
 */
export function addRule(component: Component, value: unknown, budget: { chars: number }): boolean {
  const read = ruleOf(value);
  if (!read) return false;
  if (component.rules.length >= MAX_RULES) return true;
  budget.chars -= JSON.stringify(read).length;
  const rule = budget.chars < 0 ? { ...BARE, id: read.id.slice(0, 300), guid: read.guid, level: read.level } : read;
  component.rules.push(rule);
  if (rule.id !== '' && !component.byId.has(rule.id)) component.byId.set(rule.id, rule);
  if (rule.guid !== undefined && !component.byGuid.has(rule.guid)) component.byGuid.set(rule.guid, rule);
  return true;
}

const BARE = {
  name: undefined,
  shortDescription: undefined,
  fullDescription: undefined,
  help: undefined,
  helpUri: undefined,
  messages: {},
  relationships: [],
  properties: {},
  own: undefined,
};

export interface FoundRule {
  readonly id: string | undefined;
  readonly rule: SarifRule | undefined;
  readonly component: Component;
}

/**
 * The rule of a result: by index in the component it names, else by guid, else by id, there first and then anywhere. An
 * id such as `CA1000/1` belongs to the rule `CA1000`. Source: SARIF 2.1.0, 3.27.5 to 3.27.7 and 3.52.
 */
export function findRule(result: JsonObject, driver: Component, extensions: readonly Component[]): FoundRule {
  const reference = objectOf(result['rule']);
  const component = componentOf(objectOf(reference['toolComponent']), driver, extensions);
  const id = textOf(result['ruleId']) ?? textOf(reference['id']);
  const index = wholeOf(reference['index'], 0) ?? wholeOf(result['ruleIndex'], 0);
  const indexed = index === undefined ? undefined : component.rules[index];
  if (indexed && (id === undefined || id === indexed.id || id.startsWith(`${indexed.id}/`))) {
    return { id: id ?? indexed.id, rule: indexed, component };
  }
  const guid = guidOf(reference['guid']);
  const places = [component, driver, ...extensions];
  const found = foundIn(places, guid, byGuid) ?? foundIn(places, id, byHierarchy);
  return found ? { id: id ?? found.rule.id, ...found } : { id, rule: indexed, component };
}

function foundIn(
  places: readonly Component[],
  name: string | undefined,
  find: (component: Component, name: string) => SarifRule | undefined,
) {
  if (name === undefined) return undefined;
  for (const component of places) {
    const rule = find(component, name);
    if (rule) return { rule, component };
  }
  return undefined;
}

const byGuid = ({ byGuid: rules }: Component, guid: string): SarifRule | undefined => rules.get(guid);

function byHierarchy({ byId }: Component, id: string): SarifRule | undefined {
  const exact = byId.get(id);
  const slash = id.lastIndexOf('/');
  return exact ?? (slash > 0 ? byId.get(id.slice(0, slash)) : undefined);
}

function componentOf(reference: JsonObject, driver: Component, extensions: readonly Component[]): Component {
  const index = wholeOf(reference['index'], 0);
  const byIndex = index === undefined ? undefined : extensions[index];
  const { name, guid } = { name: textOf(reference['name']), guid: textOf(reference['guid']) };
  const isNamed = (component: Component): boolean =>
    (guid !== undefined && component.guid === guid) || (name !== undefined && component.name === name);
  return byIndex ?? [driver, ...extensions].find(isNamed) ?? driver;
}
