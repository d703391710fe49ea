// Writes log lines for log.test.ts: a log always goes to the real stderr.
import { createLog } from '../../dist/platform/log.js';

const secrets = Object.fromEntries(
  ['password', 'secret_key', 'access_key', 'apiKey', 'token', 'authorization', 'cookie', 'x-apikeys'].map((key) => [
    key,
    'hunter2',
  ]),
);
const log = createLog('info', { role: 'test' });
log.debug({}, 'too quiet to be written');
log.info({ ...secrets, instance: secrets, request: { headers: secrets } }, 'with secrets');
log.child({ scanId: 'scan_1', password: 'hunter2' }).warn({ count: 3 }, 'from a child');
log.error({ err: new Error('outer words', { cause: new Error('inner words') }) }, 'it failed');
createLog('silent').error({}, 'never written');
