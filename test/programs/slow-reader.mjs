// Stands in for a reader thread: says which thread answered; `hosts` answers when it is cancelled, `looked` ends the thread.
import { parentPort, threadId } from 'node:worker_threads';

const held = new Set();

parentPort?.on('message', ({ id, name }) => {
  if (name === 'looked') process.exit(3);
  if (name === 'end') return parentPort?.close();
  if (name === 'hosts') {
    held.add(id);
    parentPort?.postMessage({ holds: id });
  } else if (name !== 'cancel' || held.delete(id)) {
    parentPort?.postMessage({ id, output: [{ place: String(threadId), status: 'tested' }] });
  }
});
