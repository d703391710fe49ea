// Logs while the disk is full, more than is kept, and when there is room again; for log.test.ts.
import fs from 'node:fs';
import { createLog } from '../../dist/platform/log.js';

const { writeSync } = fs;
let isFull = true;
fs.writeSync = (...values) => {
  if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  return writeSync(...values);
};
const log = createLog('info');
for (let line = 0; line < 200; line += 1) log.info({ padding: 'x'.repeat(10_000) }, `full ${line}`);
isFull = false;
log.info({}, 'finds room');
log.info({}, 'has room');
