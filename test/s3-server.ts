import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What the server takes for an account; part of the package. */
export const S3_ENV = {
  AWS_ACCESS_KEY_ID: 'S3RVER',
  AWS_SECRET_ACCESS_KEY: 'S3RVER',
  AWS_EC2_METADATA_DISABLED: 'true',
};

export interface S3Server {
  readonly url: string;
  readonly port: number;
  readonly bucket: string;
  /** Where it keeps objects: `<folder>/<bucket>/<key>._S3rver_object`. */
  readonly folder: string;
  /** For child processes; `startS3` has set the same here. */
  readonly env: typeof S3_ENV;
  /** The settings of scanmux for it, as variables. */
  readonly settings: Readonly<Record<string, string>>;
  pid(): number;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** On the same port, with the same objects. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

const PROGRAM = new URL('./programs/s3-server.mjs', import.meta.url).pathname;

/** Starts a real S3-compatible server on a free loopback port, in a process and a temporary folder of its own. */
export async function startS3({ bucket = 'scanmux-test' }: { bucket?: string } = {}): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'scanmux-s3-'));
  Object.assign(process.env, S3_ENV);
  let { child, port } = await start(folder, 0, bucket);
  const url = `http://127.0.0.1:${port}`;
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = signal === 'SIGKILL' || signal === 'SIGTERM' ? once(child, 'exit') : undefined;
    child.kill(signal);
    await gone;
  };
  return {
    url,
    port,
    bucket,
    folder,
    env: S3_ENV,
    settings: {
      SCANMUX_ARTEFACTS_STORE: 's3',
      SCANMUX_ARTEFACTS_S3_BUCKET: bucket,
      SCANMUX_ARTEFACTS_S3_ENDPOINT: url,
      SCANMUX_ARTEFACTS_S3_FORCE_PATH_STYLE: 'true',
    },
    pid: () => child.pid ?? 0,
    kill,
    async restart() {
      await kill('SIGKILL');
      ({ child, port } = await start(folder, port, bucket));
    },
    async close() {
      await kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function start(folder: string, port: number, bucket: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [PROGRAM, folder, String(port), bucket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(() => {
      throw new Error('the S3 server did not start');
    }),
  ]);
  lines.close();
  return { child, port: Number(first[0]) };
}
