// Two packages of the MCP project do not start as they are; preloaded with `--import`, this lets them, and nobody else, find
// what they miss:
// - the conformance runner imports `globSync` from `fs`, which Node 20 has not; only commands we do not use call it;
// - the CLI of the Inspector imports the package.json of a package it is usually a part of.
import { register } from 'node:module';

const FS =
  "export * from 'node:fs'; export { default } from 'node:fs'; " +
  "export function globSync() { throw new Error('fs.globSync is of Node 22'); }";

const hooks = `
const FS = ${JSON.stringify(`data:text/javascript,${encodeURIComponent(FS)}`)};
export function resolve(specifier, context, next) {
  const from = context.parentURL ?? '';
  if (specifier === 'fs' && from.includes('/@modelcontextprotocol/conformance/'))
    return { url: FS, format: 'module', shortCircuit: true };
  if (specifier === '../../package.json' && from.endsWith('/inspector-cli/build/index.js'))
    return next('../package.json', context);
  return next(specifier, context);
}
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
