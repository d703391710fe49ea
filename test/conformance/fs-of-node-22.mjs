// The conformance runner imports `globSync` from `fs`, which Node 20 has not; only commands we do not use call it. This
// hook gives the runner, and nobody else, an `fs` with that name. Preloaded with `--import`.
import { register } from 'node:module';

const SHIM =
  "export * from 'node:fs'; export { default } from 'node:fs'; " +
  "export function globSync() { throw new Error('fs.globSync is of Node 22'); }";

const hooks = `
const shim = ${JSON.stringify(`data:text/javascript,${encodeURIComponent(SHIM)}`)};
export const resolve = (specifier, context, next) =>
  specifier === 'fs' && context.parentURL?.includes('/@modelcontextprotocol/conformance/')
    ? { url: shim, format: 'module', shortCircuit: true }
    : next(specifier, context);
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
