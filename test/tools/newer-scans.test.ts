import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../src/platform/sqlite.ts';
import { wire } from './wire.ts';

it('says that a scan of a newer program is left out of the list', async () => {
  const { app, ok } = await wire();
  const { scan_id: plain } = await ok('run_untrusted_scan', { targets: ['127.0.0.1'] });
  const { scan_id: newer } = await ok('run_untrusted_scan', { targets: ['127.0.0.2'] });
  const db = openDatabase(join(app.dataFolder, 'queue.db'));
  db.writeNow(() => db.prepare('UPDATE scans SET state = ? WHERE scan_id = ?').run('hibernating', String(newer)));
  db.close();
  expect(await ok('list_scans')).toMatchObject({
    summary: expect.stringMatching(/^2 scans match; 1 shown, newest first\. 1 of this page left out: a newer scanmux/),
    scans: [{ scan_id: plain }],
    total: 2,
  });
});
