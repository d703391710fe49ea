import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Without letters that look alike (Crockford), so that a key survives being read out. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const PREFIX_CHARS = 8;
/** 260 bits. */
const SECRET_CHARS = 52;
/** 35 bits: a CRC-32. */
const CHECK_CHARS = 7;

/** `smx_<8>_<52><7>`: what secret scanners look for. The last 7 are a checksum, so that a slip of the pen is told. */
const API_KEY = /^(smx_[0-9a-hjkmnp-tv-z]{8})_([0-9a-hjkmnp-tv-z]{59})$/;
/** What lists and the audit log show of a key. */
export const KEY_PREFIX = /^smx_[0-9a-hjkmnp-tv-z]{8}$/;

const randomText = (length: number): string => Array.from(randomBytes(length), (byte) => ALPHABET[byte % 32]).join('');

function checksum(text: string): string {
  let rest = crc32(text);
  let shown = '';
  for (let index = 0; index < CHECK_CHARS; index += 1) {
    shown = `${ALPHABET[rest % 32]}${shown}`;
    rest = Math.floor(rest / 32);
  }
  return shown;
}

/** A new key. `text` is shown once and kept nowhere; `prefix` names it. */
export function newApiKey(): { readonly text: string; readonly prefix: string } {
  const prefix = `smx_${randomText(PREFIX_CHARS)}`;
  const body = `${prefix}_${randomText(SECRET_CHARS)}`;
  return { text: `${body}${checksum(body)}`, prefix };
}

/** The prefix of a text that is a key by its form and its checksum; undefined for any other text. */
export function prefixOfKey(text: string): string | undefined {
  const prefix = API_KEY.exec(text)?.[1];
  return prefix !== undefined && text.endsWith(checksum(text.slice(0, -CHECK_CHARS))) ? prefix : undefined;
}

/**
 * Hex SHA-256 of a whole key. No slow hash is needed: 260 random bits cannot be guessed. Looking a key up by it tells
 * nothing by its time, because who asks cannot choose the hash.
 */
export const apiKeyHash = (text: string): string => createHash('sha256').update(text).digest('hex');
