import type { LoginOutcome } from '../../model/coverage.ts';
import type { LoginProblem } from '../../model/login-problem.ts';

/** What a report says about logins to one host. Ids of plugins as Nessus numbers them. */
export interface LoginSigns {
  /** Plugins of `LOGIN_PLUGINS` that reported on the host. */
  readonly plugins: ReadonlySet<string>;
  /** Those among them whose words match `TELLING_WORDS`. */
  readonly words: ReadonlySet<string>;
  /** The tag `Credentialed_Scan` of the host. */
  readonly tag: boolean | undefined;
  /** `Credentialed checks` of plugin 19506. */
  readonly checks: boolean | undefined;
  /** The policy holds passwords or keys. */
  readonly hasCredentials: boolean;
  /** The scan was given a login: whatever says that nobody came in says that it did not work. */
  readonly isAsked: boolean;
}

/** Valid credentials provided; no issues found; OS security patch assessment available. */
const CAME_IN = ['141118', '110095', '117887'];
/** Insufficient privilege; intermittent authentication failure: came in, but not for everything. */
const CAME_IN_PARTLY = ['110385', '117885'];
/** Failure for provided credentials; OS security patch assessment failed. */
const FAILED = ['104410', '21745'];
/**
 * Not performed with admin privileges; no access to the Windows registry; patch assessment not available. Nessus reports
 * them without any credentials too, so alone they say nothing about a login.
 */
const LESS = ['24786', '26917', '117886'];
const NONE_GIVEN = '110723';

export const LOGIN_PLUGINS: ReadonlySet<string> = new Set([
  ...CAME_IN,
  ...CAME_IN_PARTLY,
  ...FAILED,
  ...LESS,
  NONE_GIVEN,
]);

/** Which problem each plugin stands for, the one that explains most first. */
const PROBLEMS: readonly (readonly [string, LoginProblem])[] = [
  ['104410', 'refused'],
  ['110385', 'needs_privilege'],
  ['24786', 'no_admin'],
  ['26917', 'no_registry'],
  ['117885', 'intermittent'],
  ['117886', 'no_service'],
  ['21745', 'patch_check_failed'],
  [NONE_GIVEN, 'no_credentials_for_service'],
];

/** Words of plugins whose number alone does not tell the reason; which of our texts is shown is all they decide. */
export const TELLING_WORDS: Readonly<Record<string, RegExp>> = {
  '104410': /\b(?:private key|key information|passphrase)\b/i,
  '117886': /\bservices?\b[^\n]{0,60}\bnot (?:detected|found|running|reachable)\b/i,
};

/** @returns the main reason why a login did not work, or not for everything; undefined when there is none */
export function loginProblem(signs: LoginSigns): LoginProblem | undefined {
  const outcome = loginOutcome(signs);
  const { plugins, words } = signs;
  if (outcome === 'success') return undefined;
  if (outcome === undefined) return plugins.has(NONE_GIVEN) ? 'no_credentials_for_service' : undefined;
  const [id, problem = 'unknown'] = PROBLEMS.find(([plugin]) => plugins.has(plugin)) ?? [''];
  if (id === '104410' && words.has(id)) return 'key_unusable';
  return id === '117886' && !words.has(id) ? 'unknown' : problem;
}

/** @returns undefined when no login was tried, as far as the report tells */
export function loginOutcome(signs: LoginSigns): LoginOutcome | undefined {
  const { plugins, tag, checks } = signs;
  const any = (ids: readonly string[]): boolean => ids.some((id) => plugins.has(id));
  const denied = tag === false || checks === false;
  if (tag === true || checks === true || any([...CAME_IN, ...CAME_IN_PARTLY])) {
    return denied || any([...CAME_IN_PARTLY, ...FAILED, ...LESS]) ? 'partial' : 'success';
  }
  return any(FAILED) || cameNotIn(signs, denied) ? 'failed' : undefined;
}

/** Whether a login was tried in vain, although the report has no reason for it. */
function cameNotIn({ plugins, hasCredentials, isAsked }: LoginSigns, denied: boolean): boolean {
  const isNoneGiven = plugins.has(NONE_GIVEN);
  if (isAsked) return denied || isNoneGiven || LESS.some((id) => plugins.has(id));
  return denied && hasCredentials && !isNoneGiven;
}
