// Fetches one report through the engine and says how much memory that took: node nessus-export.mjs <url> <access> <secret>.
// Plain JavaScript over dist/, because memory is measured in a process of its own.
import { Writable } from 'node:stream';
import { nessusType } from '../../dist/scanners/nessus/nessus-type.js';

const [url, access_key, secret_key] = process.argv.slice(2);
const scanner = nessusType.create(nessusType.settings.parse({ url, access_key, secret_key }));
let bytes = 0;
const report = new Writable({
  write(chunk, _encoding, done) {
    bytes += chunk.length;
    setImmediate(done);
  },
});
let peak = 0;
const look = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage().rss);
}, 10);
const outcome = await scanner.run(
  {
    scanId: 'scan_0123456789abcdefghjk',
    traceId: '0'.repeat(32),
    epoch: 1,
    request: {
      access: 'untrusted',
      targets: ['127.0.0.1'],
      pool: 'nessus',
      intensity: 'standard',
      priority: 5,
      max_duration_minutes: 60,
    },
    targets: [{ target: { kind: 'address', text: '127.0.0.1', address: '127.0.0.1' }, addresses: ['127.0.0.1'] }],
  },
  {
    signal: new AbortController().signal,
    report,
    previous: undefined,
    checkpoint: () => Promise.resolve(),
    progress: () => undefined,
  },
);
clearInterval(look);
await scanner.close();
console.log(JSON.stringify({ whole: outcome.whole, bytes, peakMb: Math.round(peak / 2 ** 20) }));
