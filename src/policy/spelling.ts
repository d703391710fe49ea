import { AppError } from '../model/errors.ts';
import { withoutUserInfo } from '../model/mask.ts';
import { formatRange, parseNetwork } from './address.ts';

/** @throws AppError target_invalid with the reason, and a spelling that would be accepted where one is known. */
export function refuse(text: string, reason: string, better?: string): never {
  const safe = withoutUserInfo(text);
  const shown = safe.length > 120 ? `${safe.slice(0, 117)}...` : safe;
  const message = `${JSON.stringify(shown)} is not a usable target: ${reason}.`;
  throw new AppError('target_invalid', message, {
    targets: [safe],
    ...(better === undefined ? {} : { hint: `Write ${better} instead.` }),
  });
}

/** Control, format (zero-width, bidirectional), private-use, surrogate and separator characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u{FE00}-\u{FE0F}\u{E0100}-\u{E01EF}]/u;

/** IDNA reads these as a dot; only some of them change under NFKC. */
const OTHER_DOTS = /[\u3002\uFF0E\uFF61]/;

/** UTF-16 units. */
export const MAX_LENGTH = 2_000;

/** What must hold for any target, whatever its kind: it is one visible token to every engine. */
export function requireOneToken(text: string): void {
  if (text === '') refuse(text, 'it is empty');
  if (text.length > MAX_LENGTH) refuse(text, `it is longer than ${MAX_LENGTH} characters`);
  if (INVISIBLE.test(text)) refuse(text, 'it holds a control or invisible character');
  if (/\s/u.test(text)) refuse(text, 'it holds white space; give one target per list item', trimmed(text));
  if (text.startsWith('-')) refuse(text, 'it starts with a dash, which scanners read as an option');
  if (text.includes(',')) {
    const isUrl = /^https?:\/\//i.test(text);
    refuse(
      text,
      'it holds a comma, which some scanners read as a list',
      isUrl ? 'the comma as %2C' : 'one target per list item',
    );
  }
  if (text !== text.normalize('NFKC') || OTHER_DOTS.test(text)) {
    refuse(text, 'it holds full-width, circled or other look-alike characters, which tools read differently');
  }
}

function trimmed(text: string): string | undefined {
  const rest = text.trim();
  return rest === '' || /\s/u.test(rest) ? undefined : rest;
}

/** The label that makes the URL standard and getaddrinfo read a whole host as an IPv4 address. */
const NUMERIC_LABEL = /^(?:\d+|0x[0-9a-f]*)$/i;

/** True for every text that some tool would read as an IPv4 address although `net.isIP` does not. */
export const endsInNumber = (host: string): boolean => NUMERIC_LABEL.test(host.split('.').at(-1) ?? '');

/** Refuses octal, hexadecimal, integer, short and over-long spellings, saying how they are read elsewhere. */
export function refuseNumeric(text: string, host: string): never {
  const read = readByBrowsers(host);
  if (read === undefined) {
    refuse(text, 'its last label is a number, so tools would read it as an address, and it is not a whole one');
  }
  const padded = /(?:^|\.)0\d/.test(host);
  const differs = padded ? '; others read leading zeros as decimal' : '';
  refuse(
    text,
    `it is an unusual spelling of an address (browsers read ${read}${differs})`,
    'four decimal numbers without leading zeros',
  );
}

function readByBrowsers(host: string): string | undefined {
  return URL.canParse(`http://${host}/`) ? new URL(`http://${host}/`).hostname : undefined;
}

/** `127.0.0.*`, `10.0.0.1-5`, `10.0-3.0.1`: nmap expands these, others look them up as names. */
export function refuseExpansion(text: string): never {
  const reason = 'this form is expanded by some scanners and not by others';
  const star = /^(\d+\.\d+\.\d+)\.\*$/.exec(text);
  const network = star ? parseNetwork(`${star[1]}.0/24`) : undefined;
  if (network) refuse(text, reason, formatRange(network));
  const short = /^((?:\d+\.){3})(\d+)-(\d+)$/.exec(text);
  if (short) refuse(text, reason, `${short[1]}${short[2]}-${short[1]}${short[3]}`);
  refuse(text, reason, 'a CIDR or a range with two whole addresses');
}
