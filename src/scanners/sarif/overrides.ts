import { isObject, listOf, objectOf, textOf, wholeOf, type JsonObject } from '../json-fields.ts';
import { findRule, type Component, type FoundRule, type SarifRule } from './rules.ts';

/** Of one run; further ones are not heard. */
const MAX_OVERRIDES = 100_000;
const MAX_REFERENCE = 2_000;

interface Override {
  readonly invocation: number;
  /** May be read before the rules it points to. */
  readonly descriptor: JsonObject;
  readonly level: string;
}

type Levels = Map<SarifRule | string, string>;

/**
 * Levels that whoever started the tool gave its rules (`ruleConfigurationOverrides`). They stand in for the default of
 * the rule in the results of that invocation. Source: SARIF 2.1.0, 3.20.5 and 3.27.10.
 */
export class LevelOverrides {
  readonly #all: Override[] = [];
  #invocations = 0;
  #byInvocation: Map<number, Levels> | undefined;

  /** @param budget characters that may still be kept of the run */
  addInvocation(invocation: unknown, budget: { chars: number }): void {
    const index = this.#invocations;
    this.#invocations += 1;
    this.#byInvocation = undefined;
    for (const value of listOf(objectOf(invocation)['ruleConfigurationOverrides'])) {
      const { descriptor, configuration } = objectOf(value);
      const level = textOf(objectOf(configuration)['level'])?.slice(0, 20);
      const chars = isObject(descriptor) ? JSON.stringify(descriptor).length : MAX_REFERENCE + 1;
      if (level === undefined || chars > MAX_REFERENCE) continue;
      if (this.#all.length >= MAX_OVERRIDES || budget.chars < chars) return;
      budget.chars -= chars;
      this.#all.push({ invocation: index, descriptor: objectOf(descriptor), level });
    }
  }

  /** A result that names no invocation is of the only one there is. */
  levelOf(
    result: JsonObject,
    { id, rule }: FoundRule,
    driver: Component,
    extensions: readonly Component[],
  ): string | undefined {
    if (this.#all.length === 0) return undefined;
    const named = wholeOf(objectOf(result['provenance'])['invocationIndex'], 0);
    const index = named ?? (this.#invocations === 1 ? 0 : -1);
    this.#byInvocation ??= this.#resolved(driver, extensions);
    const levels = this.#byInvocation.get(index);
    return (id === undefined ? undefined : levels?.get(id)) ?? (rule && levels?.get(rule));
  }

  #resolved(driver: Component, extensions: readonly Component[]): Map<number, Levels> {
    const found = new Map<number, Levels>();
    for (const { invocation, descriptor, level } of this.#all) {
      const { id, rule } = findRule({ rule: descriptor }, driver, extensions);
      const levels: Levels = found.get(invocation) ?? new Map<SarifRule | string, string>();
      found.set(invocation, levels);
      // A part of a rule (`CA1000/1`) is found as its rule, but is not all of it.
      const key = rule && (id === undefined || id === rule.id) ? rule : id;
      if (key !== undefined) levels.set(key, level);
    }
    return found;
  }
}
