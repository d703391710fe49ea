import { domainToASCII } from 'node:url';
import { endsInNumber, refuse, refuseExpansion, refuseNumeric } from './spelling.ts';

/** Underscores are in no host name of RFC 952, but in those of Docker Compose and Windows. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
const MAX_NAME = 253;

/**
 * Canonical lower-case ASCII form of a host name: letters, digits and hyphens (RFC 952, RFC 1123, 2.1), underscores,
 * other scripts as punycode.
 * @param text the whole target, for the message.
 * @throws AppError target_invalid
 */
export function hostName(text: string, host: string): string {
  if (host === '') refuse(text, 'it has no host');
  if (host.includes('%')) refuse(text, 'it holds a percent sign; a zone or encoded character has no place in a host');
  if (host.includes('*')) refuseExpansion(text);
  if (host.endsWith('.')) refuse(text, 'it ends in a dot', withoutTrailingDot(text, host));
  if (endsInNumber(host)) refuseNumeric(text, host);
  if (/^[\d.-]+$/.test(host)) refuseExpansion(text);
  const ascii = asciiName(text, host);
  if (ascii.length > MAX_NAME) refuse(text, `the name is longer than ${MAX_NAME} characters`);
  for (const label of ascii.split('.')) checkLabel(text, label);
  return ascii;
}

function withoutTrailingDot(text: string, host: string): string | undefined {
  const bare = host.replace(/\.+$/, '');
  return bare === '' ? undefined : text.replace(host, bare);
}

/** Each label that is not ASCII must become punycode: one that becomes plain ASCII was another name in disguise. */
function asciiName(text: string, host: string): string {
  const lower = host.toLowerCase();
  const plain = /^[\p{ASCII}]*$/u.test(lower);
  if (plain && !lower.split('.').some((label) => label.startsWith('xn--'))) return lower;
  const from = lower.split('.');
  // Newer releases of Node pass an empty punycode label on as it is.
  const ascii = from.includes('xn--') ? '' : domainToASCII(lower);
  const to = ascii.split('.');
  const honest =
    from.length === to.length &&
    from.every((label, index) => (/^[\p{ASCII}]*$/u.test(label) ? label === to[index] : to[index]?.startsWith('xn--')));
  if (!honest) refuse(text, 'the name is not valid as an internationalised name');
  return ascii;
}

function checkLabel(text: string, label: string): void {
  if (LABEL.test(label)) return;
  if (label === '') refuse(text, 'the name has an empty label (two dots in a row, or a dot in front)');
  if (label.length > 63) refuse(text, 'a label of the name is longer than 63 characters');
  if (label.startsWith('-') || label.endsWith('-')) refuse(text, 'a label of the name starts or ends with a hyphen');
  refuse(text, 'a host name holds only letters, digits, hyphens, underscores and dots');
}
