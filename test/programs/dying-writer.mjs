// Stands in for the thread that writes findings: ends at the first of them.
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', () => process.exit(3));
