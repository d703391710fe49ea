// The floor of submit to start: another process, woken through a pipe, that commits one row and notes when.
import { createRawSqlite } from './raw-sqlite.ts';

const sqlite = createRawSqlite(process.argv[2] ?? '');
process.on('message', () => {
  void sqlite.once();
  process.send?.(String(process.hrtime.bigint()));
});
process.send?.('ready');
