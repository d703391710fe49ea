// A second process that rings and listens; see peer.ts.
import { createBell } from '../../dist/platform/bell.js';

let bell;

process.on('message', ({ action, folder }) => {
  if (action === 'open') bell = createBell(folder, 'jobs');
  if (action === 'ring') bell.ring();
  if (action === 'listen') bell.listen(() => process.send('heard'));
  process.send('done');
});
process.on('disconnect', () => process.exit());
process.send('ready');
