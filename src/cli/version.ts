import { readFileSync } from 'node:fs';

/** Read by pattern: the handshake must not wait for a schema. The same distance from `src/cli` and `dist/cli`. */
const packageText = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

/** Version of this package. */
export const VERSION = /"version":\s*"([^"]+)"/.exec(packageText)?.[1] ?? '0.0.0';
