import { randomBytes } from 'node:crypto';

/** Names one request, so that a script that is sent again knows what it did before. */
export const newRequestId = (): string => randomBytes(9).toString('base64url');
