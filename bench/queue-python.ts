import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import type { Size } from './bench.ts';
import { isFull } from './queue-sides.ts';
import type { Line } from './table.ts';

const Figures = z.object({ name: z.string(), perSecond: z.number(), p50: z.number() });
const PACKAGES = { celery: 'celery python3-redis', rq: 'python3-rq' } as const;

/** The interpreter of the system comes second: packages of apt are only there. */
const pythonWith = (module: string): string | undefined =>
  ['python3', '/usr/bin/python3'].find(
    (name) => spawnSync(name, ['-c', `import redis, ${module}`], { stdio: 'ignore' }).status === 0,
  );

/** Task queues of Python in the same Redis, for those who wonder; each in its own turn, not in turns with ours. */
export function pythonQueues(
  url: string,
  ours: { readonly perSecond: number; readonly p50: number },
  size: Size,
): readonly Line[] {
  const [submits, starts] = isFull(size) ? [2_000, 200] : [5, 2];
  return (['celery', 'rq'] as const).flatMap((kind): readonly Line[] => {
    const python = pythonWith(kind);
    if (python === undefined) {
      console.error(`No ${kind} to compare with (\`apt-get install ${PACKAGES[kind]}\`): left out.`);
      return [];
    }
    const script = join(process.cwd(), 'bench', 'queue_python.py');
    const argv = [script, kind, `${url}/1`, String(submits), String(starts)];
    const { stdout, stderr, status } = spawnSync(python, argv, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${kind} failed: ${stderr.slice(-2_000)}`);
    const { name, perSecond, p50 } = Figures.parse(JSON.parse(stdout));
    const submit = { floor: perSecond, ours: ours.perSecond, ratio: ours.perSecond / perSecond };
    const start = { floor: p50, ours: ours.p50, ratio: ours.p50 / p50 };
    return [
      { what: `Redis: submit, one at a time, against ${name}`, measure: 'perSecond', ...submit },
      { what: `Redis: submit to start, idle worker, against ${name}`, measure: 'p50', ...start },
    ];
  });
}
