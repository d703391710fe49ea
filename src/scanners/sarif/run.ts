import { SarifRunExtra } from '../../model/sarif-extra.ts';
import { isObject, listOf, objectOf, textOf, timeOf } from '../json-fields.ts';
import { logicalName, uriOf, type SarifPlace } from './place.ts';
import { LevelOverrides } from './overrides.ts';
import { addRule, bounded, newComponent, type Component } from './rules.ts';
import { repositoryOf } from './targets.ts';
import { needsTaxonomies, type Taxonomy } from './weaknesses.ts';

/** What results point into is kept up to these bounds; pointers beyond them find nothing. */
const MAX_ENTRIES = 500_000;
const MAX_CHARS = 64 << 20;
const MAX_COMPONENTS = 1_000;
const MAX_PLACES = 100_000;

/** The last place is used again and again by what there are too many of. */
function push<Element>(list: Element[], element: Element): void {
  if (list.length >= MAX_COMPONENTS) list.pop();
  list.push(element);
}

function nameComponent(component: Component | undefined, key: string, value: unknown): void {
  if (!component) return;
  if (key === 'messages') component.messages = bounded(value);
  else if (key === 'name' || key === 'guid' || key === 'version' || key === 'semanticVersion')
    component[key] = textOf(value);
}

function nameTaxonomy(taxonomy: Taxonomy | undefined, key: string, value: unknown): void {
  if (taxonomy && (key === 'name' || key === 'guid')) taxonomy[key] = textOf(value);
}

/** What one run says besides its results, as far as it has been read. */
export class SarifRun {
  driver: Component = newComponent();
  readonly extensions: Component[] = [];
  readonly taxonomies: Taxonomy[] = [];
  readonly artifacts: (string | undefined)[] = [];
  readonly logicalLocations: (string | undefined)[] = [];
  readonly analysed: string[] = [];
  readonly repositories: string[] = [];
  /** What the hosts in the URIs of its results were taken for. */
  readonly hosts = new Set<SarifPlace['host']>();
  readonly overrides = new LevelOverrides();
  /** As scanmux itself wrote it. */
  own: SarifRunExtra | undefined;
  readonly seen = new Set<string>();
  readonly times: { startedAt?: number; finishedAt?: number } = {};
  title: string | undefined;
  isFailed = false;
  toolErrors = 0;
  readonly #budget = { chars: MAX_CHARS };
  #needsTaxonomies = false;

  /** Whether results can be understood before the run ends. */
  get isToolKnown(): boolean {
    return this.seen.has('tool') && (!this.#needsTaxonomies || this.seen.has('taxonomies'));
  }

  /** A list or object of the run, or a component of its tool, begins or ends. */
  boundary(name: string, kind: 'open' | 'close'): void {
    if (kind === 'close') this.seen.add(name);
    else if (name === 'extension') push(this.extensions, newComponent());
    else if (name === 'taxonomy') push(this.taxonomies, { name: undefined, guid: undefined, ids: [] });
  }

  /** False when the value is not what its name promises. */
  value(name: string, value: unknown): boolean {
    switch (name) {
      case 'rule':
        return this.#rule(this.driver, value);
      case 'rule of extension':
        return this.#rule(this.extensions.at(-1) ?? this.driver, value);
      case 'artifact':
        return this.#artifact(value);
      case 'logical location':
        return this.#keep(this.logicalLocations, logicalName(objectOf(value), this));
      case 'taxon':
        return this.#keep(this.taxonomies.at(-1)?.ids ?? [], textOf(objectOf(value)['id']));
      case 'invocation':
        return this.#invocation(value);
      case 'repository':
        return this.#repository(value);
      default:
        return this.#fact(name, value);
    }
  }

  #fact(name: string, value: unknown): boolean {
    if (name === 'automation') this.title = textOf(objectOf(value)['id']);
    else if (name === 'properties') this.#properties(value);
    else if (name === 'external') this.#external(value);
    else if (name === 'notification') this.toolErrors += objectOf(value)['level'] === 'error' ? 1 : 0;
    else {
      const [of, key = ''] = name.split('.');
      if (of === 'taxonomy') nameTaxonomy(this.taxonomies.at(-1), key, value);
      else nameComponent(of === 'driver' ? this.driver : this.extensions.at(-1), key, value);
    }
    return true;
  }

  #external(value: unknown): void {
    if (objectOf(value)['results'] !== undefined) this.seen.add('external');
  }

  #properties(value: unknown): void {
    this.seen.add('properties');
    const parsed = SarifRunExtra.safeParse(objectOf(value)['scanmux']);
    if (parsed.success) this.own = parsed.data;
  }

  #rule(component: Component, value: unknown): boolean {
    const isRule = addRule(component, value, this.#budget);
    const rule = component.rules.at(-1);
    if (rule && needsTaxonomies(rule)) this.#needsTaxonomies = true;
    return isRule;
  }

  #artifact(value: unknown): boolean {
    if (!isObject(value)) return false;
    const uri = uriOf(value['location'], this);
    const isAnalysed = listOf(value['roles']).includes('analysisTarget');
    if (uri !== undefined && isAnalysed && this.analysed.length < MAX_PLACES) this.analysed.push(uri.slice(0, 500));
    return this.#keep(this.artifacts, uri);
  }

  #repository(value: unknown): boolean {
    const uri = repositoryOf(value);
    if (uri !== undefined && uri !== '' && this.repositories.length < MAX_COMPONENTS) this.repositories.push(uri);
    return true;
  }

  #keep(list: (string | undefined)[], text: string | undefined): boolean {
    this.#budget.chars -= text?.length ?? 0;
    if (list.length < MAX_ENTRIES) list.push(this.#budget.chars < 0 ? undefined : text);
    return true;
  }

  #invocation(value: unknown): boolean {
    this.overrides.addInvocation(value, this.#budget);
    if (!isObject(value)) return false;
    if (value['executionSuccessful'] === false) this.isFailed = true;
    const startedAt = timeOf(value['startTimeUtc']);
    const finishedAt = timeOf(value['endTimeUtc']);
    if (startedAt !== undefined) this.times.startedAt = Math.min(startedAt, this.times.startedAt ?? startedAt);
    if (finishedAt !== undefined) this.times.finishedAt = Math.max(finishedAt, this.times.finishedAt ?? finishedAt);
    return true;
  }
}
