import type { Environment } from '../config/environment.ts';
import type { JsonPath } from '../config/json-value.ts';
import { isRecord } from '../config/json-value.ts';

export interface SubstitutionProblem {
  readonly path: JsonPath;
  readonly message: string;
  /** The variable that is not set; absent when the expression itself is wrong. */
  readonly unset?: string;
}

export interface Substituted {
  readonly value: unknown;
  readonly problems: readonly SubstitutionProblem[];
}

/** `$${` (a literal `${`), `${NAME}`, `${NAME:-default}`, or a `${` that is none of these. */
const EXPRESSION = /\$\$\{|\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Replaces variables in every text of a value that was already parsed, so that what a variable holds is never read as
 * YAML. Keys are left alone, results are not looked at again. As in a shell, a default stands in for an empty variable.
 */
export function substitute(value: unknown, env: Environment, path: JsonPath = []): Substituted {
  if (typeof value === 'string') return substituteText(value, env, path);
  if (Array.isArray(value)) {
    const items = value.map((item, index) => substitute(item, env, [...path, index]));
    return { value: items.map((item) => item.value), problems: items.flatMap(({ problems }) => problems) };
  }
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([key, item]) => ({ key, ...substitute(item, env, [...path, key]) }));
    return {
      value: Object.fromEntries(entries.map((entry) => [entry.key, entry.value])),
      problems: entries.flatMap(({ problems }) => problems),
    };
  }
  return { value, problems: [] };
}

function substituteText(text: string, env: Environment, path: JsonPath): Substituted {
  const problems: SubstitutionProblem[] = [];
  const value = text.replace(EXPRESSION, (expression: string, name?: string, fallback?: string) => {
    if (expression === '$${') return '${';
    if (name === undefined) {
      problems.push({ path, message: 'not a variable; write ${NAME}, ${NAME:-default}, or $${ for a literal ${' });
      return expression;
    }
    const found = env[name];
    if (fallback !== undefined) return found === undefined || found === '' ? fallback : found;
    if (found !== undefined) return found;
    problems.push({ path, message: `variable ${name} is not set`, unset: name });
    return expression;
  });
  return { value, problems };
}
