import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FindingsRef, Suppressions } from '../../src/findings/findings.ts';
import type { JobInput, JobOutput } from '../../src/findings/jobs.ts';
import type { JobRunner } from '../../src/findings/job-runner.ts';
import { createThreadPool } from '../../src/findings/thread-pool.ts';
import { silentLog } from '../../src/platform/log.ts';
import { DEFAULT_QUERY, END, found, placed, SCAN_ID, stored, tempFolder } from './reports.ts';

const program = (...path: string[]): URL => pathToFileURL(join(process.cwd(), ...path));
const DIST = program('dist', 'findings', 'thread.js');
const SLOW = program('test', 'programs', 'slow-reader.mjs');

/** The questions every store answers. */
type Simple = 'query' | 'get' | 'untested' | 'looked' | 'hosts';

function openPool(url: URL, count = 2): JobRunner {
  const limits = { maxOpenFiles: 4, maxColumnBytes: 1 << 20 };
  const pool = createThreadPool({ count, limits, log: silentLog, program: url });
  onTestFinished(() => pool.close());
  return pool;
}

const scan = () =>
  stored([
    placed('10.0.0.1', 'partial', 'It went away.'),
    ...Array.from({ length: 60 }, (_, n) =>
      found({ discriminator: String(n), severity: n % 2 === 0 ? 'high' : 'low' }),
    ),
    END,
  ]);

describe('questions answered in another thread', () => {
  const suppressionsFor = (fingerprint: string): Suppressions => ({
    version: 'one',
    entries: [{ fingerprint, status: 'mitigated', reason: 'A proxy.', who: 'local', expiresAt: 4e12 }],
  });

  it('are answered as in this one', async () => {
    const { store, ref, file } = await scan();
    const pool = openPool(DIST);
    const suppressions = suppressionsFor((await store.get(ref, 2))?.fingerprint ?? '');
    const inputs: { readonly [N in Simple]: JobInput<N> } = {
      query: { ref, query: { ...DEFAULT_QUERY, text: 'weak', include_suppressed: true }, suppressions },
      get: { ref, number: 2, suppressions },
      untested: { file, limit: 5 },
      looked: { file },
      hosts: { file },
    };
    const here: { readonly [N in Simple]: JobOutput<N> } = {
      query: await store.query(ref, inputs.query.query, suppressions),
      get: await store.get(ref, 2, suppressions),
      untested: await store.untested(file, 5),
      looked: await store.looked(file),
      hosts: await store.hosts(file),
    };
    expect(here.get?.suppression).toMatchObject({ status: 'mitigated' });
    expect(await pool.run('query', inputs.query, { file })).toEqual(here.query);
    expect(await pool.run('get', inputs.get, { file })).toEqual(here.get);
    expect(await pool.run('untested', inputs.untested, { file })).toEqual(here.untested);
    expect(await pool.run('looked', inputs.looked, { file })).toEqual(here.looked);
    expect(await pool.run('hosts', inputs.hosts, { file })).toEqual(here.hosts);
  });

  it('see a judgement that was made since the last question, and none that ended', async () => {
    const { store, ref, file } = await scan();
    const pool = openPool(DIST, 1);
    const made = suppressionsFor((await store.get(ref, 2))?.fingerprint ?? '');
    const another = { ...made, version: 'two', entries: [...made.entries, ...suppressionsFor('0'.repeat(32)).entries] };
    const suppressedWith = async (suppressions: Suppressions): Promise<number> => {
      const { total } = await pool.run('query', { ref, query: DEFAULT_QUERY, suppressions }, { file });
      return 60 - total;
    };
    const none = { version: '', entries: [] };
    const counts: number[] = [];
    for (const asked of [none, made, made, another, none]) counts.push(await suppressedWith(asked));
    expect(counts).toEqual([0, 1, 1, 1, 0]);
  });

  it('fail with the same code, message and hint', async () => {
    const { store, ref, file, folder } = await scan();
    const pool = openPool(DIST);
    const broken = { file: join(folder, 'broken.db'), scanId: SCAN_ID };
    await writeFile(broken.file, 'no database');
    const asked: [FindingsRef, object][] = [
      [ref, { cursor: 'x' }],
      [ref, { fields: ['passwords'] }],
      [ref, { host: '10.0.0.0/99' }],
      [broken, {}],
    ];
    for (const [of, change] of asked) {
      const query = { ...DEFAULT_QUERY, ...change };
      const { code, message, hint } = await store.query(of, query).then(factsOf, factsOf);
      const suppressions = { version: '', entries: [] };
      const there = pool.run('query', { ref: of, query, suppressions }, { file });
      await expect(there).rejects.toMatchObject({ name: 'AppError', code, message, hint });
    }
  });

  const factsOf = (error: unknown) =>
    error instanceof Error && 'code' in error && 'hint' in error
      ? { code: error.code, message: error.message, hint: error.hint }
      : { code: 'none', message: 'none', hint: 'none' };
});

describe('reader threads', () => {
  /** The thread that answers about a file. */
  const threadOf = async (pool: JobRunner, file: string): Promise<string> => {
    const [place] = await pool.run('untested', { file, limit: 1 }, { file });
    return place?.place ?? '';
  };
  /** Keeps the thread of a file busy until `release`. */
  const hold = (pool: JobRunner, file: string) => {
    const controller = new AbortController();
    const answer = pool.run('hosts', { file }, { file, signal: controller.signal });
    return { answer, release: () => controller.abort() };
  };

  it('are not started before a question comes', async () => {
    const started: unknown[] = [];
    const note = (worker: unknown) => void started.push(worker);
    process.on('worker', note);
    onTestFinished(() => void process.off('worker', note));
    const pool = openPool(SLOW);
    expect(started).toHaveLength(0);
    await threadOf(pool, 'a');
    await threadOf(pool, 'a');
    expect(started).toHaveLength(1);
  });

  it('are asked about a file they have open while they are free, else another one is', async () => {
    const pool = openPool(SLOW);
    const first = await threadOf(pool, 'a');
    const held = hold(pool, 'a');
    const second = await threadOf(pool, 'b');
    expect(second).not.toBe(first);
    expect(await threadOf(pool, 'a')).toBe(second);
    held.release();
    await held.answer;
    expect(await threadOf(pool, 'b')).toBe(second);
    expect([first, second]).toContain(await threadOf(pool, 'a'));
  });

  it('answer one question after the other when all are busy', async () => {
    const pool = openPool(SLOW, 1);
    const held = hold(pool, 'a');
    let isAnswered = false;
    const next = threadOf(pool, 'b').then(() => {
      isAnswered = true;
    });
    await new Promise((resolve) => void setImmediate(resolve));
    expect(isAnswered).toBe(false);
    held.release();
    await held.answer;
    await next;
  });

  it('are replaced when they die, and only their own questions fail', async () => {
    const pool = openPool(SLOW, 1);
    const first = await threadOf(pool, 'a');
    const dying = pool.run('looked', { file: 'a' }, { file: 'a' });
    const next = threadOf(pool, 'a');
    await expect(dying).rejects.toMatchObject({ code: 'internal_error' });
    expect(await next).not.toBe(first);
  });

  it('that cannot be started fail the question', async () => {
    const pool = openPool(program('test', 'programs', 'no-such-program.mjs'));
    await expect(pool.run('looked', { file: 'a' }, { file: 'a' })).rejects.toMatchObject({ code: 'internal_error' });
  });

  it('end with the pool, and what is asked meanwhile fails', async () => {
    const pool = openPool(SLOW, 1);
    const { answer } = hold(pool, 'a');
    const waiting = threadOf(pool, 'b');
    const both = Promise.allSettled([answer, waiting]);
    await pool.close();
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await threadOf(pool, 'a')).toMatch(/^\d+$/);
  });

  it('do not keep a program from ending', async () => {
    const { file } = await scan();
    const library = program('dist', 'findings', 'findings-store.js').href;
    const argv = [join('test', 'programs', 'one-question.mjs'), library, file];
    const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 50_000 });
    expect(JSON.parse(stdout)).toEqual([{ place: '10.0.0.1', status: 'partial', reason: 'It went away.' }]);
  });

  it('tell a missing file from a defect', async () => {
    const file = join(await tempFolder(), 'none.db');
    const asked = openPool(DIST).run('looked', { file }, { file });
    await expect(asked).rejects.toMatchObject({ code: 'storage_unusable' });
  });
});
