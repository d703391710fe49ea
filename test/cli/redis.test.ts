import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startRedis, type RedisServer } from '../redis-server.ts';
import { createPlace, runCommand, type Place } from './command-process.ts';

let place: Place;
let redis: RedisServer;
beforeAll(async () => {
  place = createPlace();
  redis = await startRedis();
});
afterAll(async () => {
  await place.clean();
  await redis.close();
});

const Findings = z.array(
  z.object({ level: z.string(), subject: z.string(), said: z.string(), fix: z.string().optional() }),
);

async function doctor(env: NodeJS.ProcessEnv) {
  const { stdout, stderr } = await runCommand(place, ['doctor', '--json'], { env });
  const findings = Findings.parse(JSON.parse(stdout));
  return { stderr, of: (subject: string) => findings.filter((finding) => finding.subject === subject) };
}

it('results that no other machine can read are warned about, until a folder is named', async () => {
  const env = { REDIS_URL: redis.url, LOG_LEVEL: 'warn' };
  const alone = await doctor(env);
  expect(alone.of('artefacts')).toMatchObject([
    { level: 'warn', said: expect.stringContaining('other machines cannot read'), fix: expect.stringContaining('s3') },
  ]);
  expect(alone.stderr).toContain('artefacts.folder');
  const shared = await doctor({ ...env, SCANMUX_ARTEFACTS_FOLDER: place.folder });
  expect(shared.of('artefacts')).toMatchObject([{ level: 'ok', said: place.folder }]);
  expect(shared.stderr).not.toContain('artefacts.folder');
});

it('what is empty for one tenant says so, and a name no tenant can have is refused', async () => {
  for (const argv of [['list'], ['dlq', 'list']]) {
    const acme = await runCommand(place, [...argv, '--tenant', 'acme']);
    expect(acme).toMatchObject({ code: 0, stderr: expect.stringContaining('of the tenant acme') });
    expect((await runCommand(place, argv)).stderr).toContain('of the tenant local');
  }
  expect((await runCommand(place, ['list', '--tenant', '*'])).code).toBe(2);
});

it('a Redis URL that is none fails under settings, and is not repeated', async () => {
  const broken = await doctor({ REDIS_URL: 'redis//user:hunter2@host' });
  expect(broken.of('settings')).toMatchObject([{ level: 'fail', said: expect.stringContaining('Redis URL') }]);
  expect(JSON.stringify(broken.of('settings'))).not.toContain('hunter2');
});
