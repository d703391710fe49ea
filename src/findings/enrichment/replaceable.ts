import { AppError } from '../../model/errors.ts';
import type { EpssFacts, KevFacts } from './enrichment.ts';

/** Both lists only ever grow; what was withdrawn of them is far less than this part. */
const LEAST_PART = 0.9;

const HINT = 'Nothing was changed. Download it again; an operator who wants this one all the same says --allow-older.';

const refused = (message: string): AppError => new AppError('invalid_request', message, { hint: HINT });

function requireNotFewer(name: string, what: string, count: number, before: number): void {
  if (count < before * LEAST_PART)
    throw refused(`${name} holds ${count} ${what}, far fewer than the ${before} in use: it may be cut short.`);
}

/**
 * That scores may take the place of those in use.
 * @param name of the file, for messages
 * @throws AppError invalid_request
 */
export function requireNewerEpss(name: string, found: EpssFacts, inUse: EpssFacts | undefined): void {
  if (inUse === undefined) return;
  if (found.date < inUse.date)
    throw refused(`${name} is of ${found.date}, the scores in use are of ${inUse.date}: it is older.`);
  requireNotFewer(name, 'scores', found.scores, inUse.scores);
}

/**
 * That a catalogue may take the place of the one in use.
 * @param name of the file, for messages
 * @throws AppError invalid_request
 */
export function requireNewerKev(name: string, found: KevFacts, inUse: KevFacts | undefined): void {
  if (inUse === undefined) return;
  if (found.date < inUse.date || isEarlier(found.version, inUse.version)) {
    const of = ({ version, date }: KevFacts): string => `version ${version} of ${date}`;
    throw refused(`${name} is ${of(found)}, the catalogue in use is ${of(inUse)}: it is older.`);
  }
  requireNotFewer(name, 'vulnerabilities', found.vulnerabilities, inUse.vulnerabilities);
}

const NUMBERS = /^\d+(?:\.\d+)*$/;

/** `2026.11.9` is earlier than `2026.11.19`. What is no such version says nothing. */
function isEarlier(version: string, other: string): boolean {
  if (!NUMBERS.test(version) || !NUMBERS.test(other)) return false;
  const [a, b] = [version, other].map((text) => text.split('.').map(Number));
  const at = b?.findIndex((number, index) => number !== (a?.[index] ?? 0)) ?? -1;
  return at >= 0 && (a?.[at] ?? 0) < (b?.[at] ?? 0);
}
