import { spawnSync } from 'node:child_process';
import { Pool } from 'undici';
import { newScanId } from '../src/model/ids.ts';
import { counts, type Bench } from './bench.ts';
import { compare, type Side } from './harness.ts';
import { startServer } from './http-wire.ts';
import { createInstallation, type Installation } from './installation.ts';
import { SCANMUX } from './programs.ts';
import { seedQueue } from './seeded-queue.ts';
import { lineOf, type Line } from './table.ts';

/** What a caller may ask about a scan by its id: the name of the question and its way over REST. */
const QUESTIONS: readonly (readonly [string, (scanId: string) => Question])[] = [
  ['status', (id) => ({ method: 'GET', path: `/api/scans/${id}` })],
  ['results', (id) => ({ method: 'GET', path: `/api/scans/${id}/results` })],
  ['events', (id) => ({ method: 'GET', path: `/api/scans/${id}/events` })],
  ['one finding', (id) => ({ method: 'GET', path: `/api/findings/${id}.1` })],
  ['cancel', (id) => ({ method: 'POST', path: `/api/scans/${id}/cancel`, body: '{}' })],
];

interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
}

/**
 * Whether the time of an answer tells a stranger that a scan exists: a finished scan of another tenant against an id that
 * never was, in turns. Any answer but 404 ends the bench.
 */
export const isolation: Bench = async (size) => {
  const installation = createInstallation();
  installation.write('scanmux.yaml', 'storage_reserve_mb: 0\nlimits: { requests_per_minute: 0 }\n');
  const queue = await seedQueue(installation.data);
  const theirs = await queue.finishedScan(1_000);
  await queue.close();
  const key = createKey(installation);
  const server = await startServer([SCANMUX, 'serve', '--no-worker', '--port', '0', ...installation.argv]);
  const pool = new Pool(server.url, { connections: 1, pipelining: 1 });
  const side = (name: string, question: Question): Side => ({ name, once: () => askInVain(pool, key, question) });
  try {
    const lines: Line[] = [];
    const never = newScanId();
    for (const [what, about] of QUESTIONS) {
      const result = await compare({
        name: `${what} of another tenant's scan, against an unknown id`,
        floor: side('unknown', about(never)),
        subject: side('of another tenant', about(theirs)),
        ...counts(size, { rounds: 40, perRound: 250 }),
      });
      lines.push(lineOf(result, 'p50', { of: 'ratio', atLeast: 0.95, atMost: 1.05 }), lineOf(result, 'p99'));
    }
    return lines;
  } finally {
    await pool.close();
    await server.close();
    installation.remove();
  }
};

function createKey({ argv }: Installation): string {
  const asked = ['keys', 'create', '--name', 'stranger', '--tenant', 'acme', '--scopes', 'scan:read,scan:run'];
  const { stdout, stderr } = spawnSync(process.execPath, [SCANMUX, ...asked, ...argv], { encoding: 'utf8' });
  const key = /smx_\S+/.exec(stdout)?.[0];
  if (key === undefined) throw new Error(`no key: ${stderr}`);
  return key;
}

async function askInVain(pool: Pool, key: string, { method, path, body }: Question): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await pool.request({ method, path, headers, body: body ?? null });
  const text = await answer.body.text();
  if (answer.statusCode !== 404) throw new Error(`${method} ${path}: ${answer.statusCode}: ${text.slice(0, 300)}`);
}
