import { fullLook, mergeStatus } from '../model/coverage.ts';
import type { LoginOutcome, Place, PlaceStatus } from '../model/coverage.ts';
import { cleanLine } from '../model/untrusted.ts';

export const NO_WORD = 'The report says nothing about it.';
const SHOWN_REASONS = 3;

const mergeLogin = (a: LoginOutcome | undefined, b: LoginOutcome | undefined): LoginOutcome | undefined =>
  a === undefined || b === undefined || a === b ? (a ?? b) : 'partial';

/** One word out of two about the same place. */
export function mergePlaces(before: Place | undefined, word: Place): Place {
  if (!before) return word;
  const reasons = [...new Set([before.reason, word.reason].flatMap((reason) => (reason ? reason.split('; ') : [])))];
  const login = mergeLogin(before.login, word.login);
  return {
    place: before.place,
    status: mergeStatus(before.status, word.status),
    ...(reasons.length > 0 && { reason: reasons.toSorted().slice(0, SHOWN_REASONS).join('; ') }),
    ...(login !== undefined && { login }),
  };
}

/**
 * What became of a place, out of the word about itself and those about its addresses. These count only together: an
 * address without a word was not tested, and one without a login leaves the login of the place `partial`.
 */
export function settlePlace(
  place: string,
  own: Place | undefined,
  addresses: ReadonlySet<string>,
  said: ReadonlyMap<string, Place>,
): Place {
  const words: Place[] = own ? [{ ...own, place }] : [];
  for (const address of addresses) {
    const word = said.get(address);
    if (word) words.push({ ...word, place: address });
    else if (!own) words.push({ place: address, status: 'not_tested', reason: NO_WORD });
  }
  const [first, ...rest] = words;
  if (!first) return { place, status: 'not_tested', reason: NO_WORD };
  const status = rest.reduce<PlaceStatus>((all, word) => mergeStatus(all, word.status), first.status);
  const login = loginOf(place, words);
  const reason = reasonText(place, words);
  return {
    place,
    status,
    ...(reason !== '' && { reason }),
    ...(login !== undefined && { login }),
  };
}

/** A word about the place itself that does not speak of a login leaves that to those about its addresses. */
function loginOf(place: string, words: readonly Place[]): LoginOutcome | undefined {
  const outcomes = new Set(words.filter((word) => word.place !== place || word.login).map(({ login }) => login));
  const [only] = outcomes;
  if (outcomes.size <= 1) return only;
  return outcomes.has('success') || outcomes.has('partial') ? 'partial' : 'failed';
}

/** Empty where every word is one of a full look. */
function reasonText(place: string, words: readonly Place[]): string {
  if (words.every(({ reason }) => reason === NO_WORD)) return NO_WORD;
  const texts = words
    .filter((word) => fullLook(word) !== 'tested')
    .map(({ place: name, status, reason, login }) => {
      const text = reason ?? (status === 'tested' ? loginText(login) : `${status.replace('_', ' ')}, without a reason`);
      return name === place ? text : `${name}: ${text}`;
    })
    .toSorted();
  const more = texts.length > SHOWN_REASONS ? ` (and ${texts.length - SHOWN_REASONS} more)` : '';
  return cleanLine(`${texts.slice(0, SHOWN_REASONS).join('; ')}${more}`, 300);
}

/** Why a place that was tested counts as looked at in part, where the report does not say more. */
export const loginText = (login: LoginOutcome | undefined): string =>
  login === 'failed'
    ? 'a login was tried and did not work: only what can be seen without one was looked at'
    : 'a login worked in part: not everything behind it was looked at';
