// A second process on the same database file; see peer.ts.
import { openDatabase } from '../../dist/platform/sqlite.js';

let db;

const actions = {
  open: ({ path }) => void (db = openDatabase(path)),
  lock: () => db.exec('BEGIN IMMEDIATE'),
  release: () => db.exec('COMMIT'),
  insert: ({ sql }) => void db.writeNow(() => db.exec(sql)),
  ping: () => {},
  close: () => db.close(),
  // Root may write anywhere; nobody may not.
  dropRights: () => {
    if (process.getuid?.() === 0) process.setuid(65_534);
  },
};

process.on('message', (message) => {
  try {
    actions[message.action](message);
    process.send({ ok: true });
  } catch (error) {
    process.send({ ok: false, code: error.code, message: error.message });
  }
});
process.on('disconnect', () => process.exit());
process.send('ready');
