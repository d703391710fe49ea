import { createHash } from 'node:crypto';
import { PRELUDE } from './scripts/prelude.ts';

/**
 * `read`: changes nothing, so a server that is full or cannot write still answers. `take`: brings something new, and is
 * refused when the server's memory is used up. `keep`: goes on with what was accepted; it may use what is left of the
 * memory, because a worker that cannot end a scan would keep everything else from going on.
 */
export type ScriptKind = 'read' | 'take' | 'keep';

/**
 * One atomic step, run inside Redis. It must give the same answer when it is sent again because its reply was lost: a
 * request carries an id of its own, and the record keeps the last one.
 */
export interface Script {
  readonly name: string;
  readonly kind: ScriptKind;
  readonly lua: string;
  readonly sha: string;
}

const FLAGS: Readonly<Record<ScriptKind, string>> = { read: ' flags=no-writes', take: '', keep: ' flags=allow-oom' };

/**
 * @param parts Lua that the body needs besides the prelude, in order.
 * @param body Lua with the prelude in scope: `P` is the key prefix, `now` the caller's wall clock, `ARGV[2]` the first
 *   argument of the caller.
 */
export function defineScript(name: string, kind: ScriptKind, body: string, parts: readonly string[] = []): Script {
  const lua = [`#!lua${FLAGS[kind]}`, PRELUDE, ...parts, body].join('\n');
  return { name, kind, lua, sha: createHash('sha1').update(lua).digest('hex') };
}
