// The floor of live events: node:http and nothing else. Streams of /<n> get an event of the size ours have, in turn, with
// its time; no store, no other process. Prints the port; on each line of stdin prints its memory, and turns begin.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';

const groups = Number(process.argv[2]);
const everyMs = Number(process.argv[3]);
const readers = Array.from({ length: groups }, () => new Set<ServerResponse>());
const seqs = new Map<number, number>();
const PROGRESS =
  '"progress":{"percent":50,"phase":"looking","hosts_done":0,"hosts_total":1,"findings_so_far":0,"estimated":false,' +
  '"updated_at":"1970-01-01T00:00:00.000Z"}';

function frameOf(seq: number): Buffer {
  const facts = `"scan_id":"scan_00000000000000000000","seq":${seq},"at":"${new Date().toISOString()}"`;
  return Buffer.from(`id: ${seq}\ndata: {${facts},"state":"running","final":false,${PROGRESS}}\n\n`);
}

function send(group: number): void {
  const seq = (seqs.get(group) ?? 0) + 1;
  seqs.set(group, seq);
  const frame = frameOf(seq);
  for (const reader of readers[group] ?? []) reader.write(frame);
}

const server = createServer((request, response) => {
  const group = Number(request.url?.slice(1));
  response.writeHead(200, { 'Content-Type': 'text/event-stream' });
  response.write(frameOf(seqs.get(group) ?? 0));
  readers[group]?.add(response);
  response.once('close', () => readers[group]?.delete(response));
}).listen(0, '127.0.0.1', 4_096);
await once(server, 'listening');
const address = server.address();
console.log(typeof address === 'object' ? address?.port : '');
let turn = 0;
createInterface({ input: process.stdin })
  .on('line', (line) => {
    console.log(process.memoryUsage.rss());
    if (line === 'go') setInterval(() => send((turn += 1) % groups), everyMs / groups);
  })
  .on('close', () => process.exit(0));
