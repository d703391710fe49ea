import { randomBytes, randomUUID } from 'node:crypto';

/** RFC 4648 base32 alphabet in lower case, without digits and letters that look alike (Crockford). */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

const randomText = (length: number): string => Array.from(randomBytes(length), (byte) => ALPHABET[byte % 32]).join('');

/** `scan_` and 100 random bits: safe in URLs, file names and engine scan names; says nothing about other scans. */
export const newScanId = (): string => `scan_${randomText(20)}`;
export const SCAN_ID = /^scan_[0-9a-hjkmnp-tv-z]{20}$/;

/**
 * W3C Trace Context trace-id: 32 hex digits, not all zero. Every call has one; Node keeps entropy for UUIDs in stock, while
 * `randomBytes` asks the system each time.
 */
export const newTraceId = (): string => randomUUID().replaceAll('-', '');

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The trace id in a W3C `traceparent`; undefined when it holds none. */
export const traceIdIn = (traceparent: unknown): string | undefined =>
  typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;

/** A finding id is the scan id and the finding's number in it, the same on every ingest. */
export const findingId = (scanId: string, number: number): string => `${scanId}.${number}`;

export function parseFindingId(text: string): { scanId: string; number: number } | undefined {
  const match = /^(scan_[0-9a-hjkmnp-tv-z]{20})\.([1-9]\d{0,8})$/.exec(text);
  return match?.[1] && match[2] ? { scanId: match[1], number: Number(match[2]) } : undefined;
}
