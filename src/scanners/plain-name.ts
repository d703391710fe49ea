import { createHash } from 'node:crypto';

/**
 * A name that a target chose, if it is plain enough to stand outside `untrusted`: at most 64 letters, digits, `_`, `.`
 * and `-`. Anything else may be prose that talks to whoever reads it.
 */
export const plainName = (text: string): string | undefined => (/^[\w.-]{1,64}$/.test(text) ? text : undefined);

/** Tells one unusual name from another, in every run alike, without a word of it: 12 hex digits of its SHA-256. */
export const nameTag = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** A token of code: a resource, a path, a hash. At most 128 characters without a space, so that it is no sentence. */
export const plainToken = (text: string): string | undefined =>
  /^[\w.:/@+=~*()[\]"'-]{1,128}$/.test(text) ? text : undefined;
