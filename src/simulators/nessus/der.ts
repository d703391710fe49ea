/** The few ASN.1 values a certificate is made of, in DER (ITU-T X.690). */

/** Tag, length and content. A length below 128 is one byte; a longer one says first how many bytes it takes (8.1.3). */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const length = bytesOf(content.length);
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length, ...length]), content]);
}

function bytesOf(value: number): number[] {
  return value < 0x1_00 ? [value] : [...bytesOf(Math.floor(value / 0x1_00)), value % 0x1_00];
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
export const setOf = (...parts: readonly Uint8Array[]): Buffer => tlv(0x31, ...parts);
export const octets = (content: Uint8Array): Buffer => tlv(0x04, content);
export const utf8 = (text: string): Buffer => tlv(0x0c, Buffer.from(text));
export const yes: Buffer = tlv(0x01, Buffer.from([0xff]));
/** All bits of all bytes count. */
export const bits = (content: Uint8Array): Buffer => tlv(0x03, Buffer.from([0]), content);
/** `[number]` around whole values. */
export const explicit = (number: number, ...parts: readonly Uint8Array[]): Buffer => tlv(0xa0 | number, ...parts);
/** `[number]` in place of the tag of a plain value. */
export const implicit = (number: number, content: Uint8Array): Buffer => tlv(0x80 | number, content);

/** A number that is not negative: a leading bit would be its sign. */
export function integer(value: Uint8Array): Buffer {
  return tlv(0x02, (value[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value);
}

/** The first two numbers share a byte; the others are base 128, with a bit on all bytes but the last (8.19). */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  const base128 = (value: number): number[] =>
    value < 0x80 ? [value] : [...base128(Math.floor(value / 0x80)).map((byte) => byte | 0x80), value % 0x80];
  return tlv(0x06, Buffer.from([first * 40 + second, ...others.flatMap(base128)]));
}

/** Two digits for the year until 2049, four from then on (RFC 5280, 4.1.2.5). */
export function time(at: Date): Buffer {
  const digits = `${at.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  return at.getUTCFullYear() < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}
