// A worker that starts nmap and is killed before nmap ends. Argument: scan id, port. Prints its checkpoint's reference.
import { PassThrough } from 'node:stream';
import { nmapType } from '../../../dist/scanners/nmap/nmap.js';

const [scanId, port] = process.argv.slice(2);
const target = { kind: 'address', text: '127.0.0.1', address: '127.0.0.1', port: Number(port) };
const request = { intensity: 'standard', max_duration_minutes: 10, targets: ['127.0.0.1'] };
const report = new PassThrough();
report.resume();

await nmapType.create({}).run(
  { scanId, traceId: '0', epoch: 1, request, targets: [{ target, addresses: ['127.0.0.1'] }] },
  {
    signal: new AbortController().signal,
    report,
    previous: undefined,
    progress: () => {},
    checkpoint: async ({ reference }) => {
      if (reference) process.stdout.write(`${reference}\n`);
    },
  },
);
