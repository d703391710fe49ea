import { defineScript } from '../script.ts';

/** Notes the version of the layout, which every script checks, in an empty store. */
export const OPEN = defineScript(
  'open',
  'take',
  `
redis.call('HSETNX', P .. 'meta', 'layout', LAYOUT)
return 'ok'
`,
);
