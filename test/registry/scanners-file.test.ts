import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EXAMPLES_FOLDER } from '../../src/config/init.ts';
import { ENGINES } from '../../src/engines.ts';
import { AppError } from '../../src/model/errors.ts';
import { poolsIn } from '../../src/registry/file.ts';
import { fakeEngine, plainEngine } from './fake-engine.ts';

const types = { nessus: fakeEngine('nessus'), nmap: plainEngine('nmap'), baseline: plainEngine('baseline') };
const read = (text: string, env: Record<string, string> = {}) => poolsIn(text, 's.yaml', { types, env });

function refusal(text: string, env: Record<string, string> = {}): string[] {
  try {
    read(text, env);
  } catch (error) {
    if (error instanceof AppError && error.code === 'config_invalid') return error.message.split('\n');
    throw error;
  }
  throw new Error('was accepted');
}

const NESSUS = `
nessus:
  - instance_id: main
    name: Main office
    enabled: \${ON:-true}
    max_concurrent_scans: \${SCANS:-5}
    url: https://\${HOST}:8834
    username: scanner
    password: \${PASSWORD}
    access_key: abc
    secret_key: def
    ca_file: /etc/ca.pem
    retries: \${RETRIES:-3}
    verify: \${VERIFY:-false}
`;
const env = { HOST: 'n.local', PASSWORD: '12345' };

describe('scanners.yaml', () => {
  it('reads an instance with everything it can have, numbers and booleans from variables included', () => {
    const [pool] = read(NESSUS, env) ?? [];
    expect(pool).toMatchObject({
      name: 'nessus',
      type: { capabilities: { engine: 'nessus' } },
      instances: [{ instanceId: 'main', name: 'Main office', type: 'nessus', enabled: true, limit: 5 }],
    });
    pool?.instances[0]?.create();
    expect(types.nessus.made.at(-1)).toEqual({
      url: 'https://n.local:8834',
      username: 'scanner',
      password: '12345',
      access_key: 'abc',
      secret_key: 'def',
      ca_file: '/etc/ca.pem',
      retries: 3,
      verify: false,
    });
  });

  it('takes the engine from the pool name up to its first _, or from type', () => {
    const pools = read('nmap_dmz_2:\n  - instance_id: a\nlab:\n  - {instance_id: b.1, type: nmap}\nnmap: []\n');
    expect(pools?.map(({ name, type }) => [name, type.capabilities.engine])).toEqual([
      ['nmap_dmz_2', 'nmap'],
      ['lab', 'nmap'],
      ['nmap', 'nmap'],
    ]);
    expect(pools?.[0]?.instances).toMatchObject([{ instanceId: 'a', name: 'a', enabled: true, limit: 2 }]);
  });

  it('says nothing of its own when it holds only comments', () => {
    expect(read('# nmap:\n')).toBeUndefined();
    expect(refusal('{}')).toEqual(['s.yaml: must map the name of each pool to the list of its instances']);
    expect(refusal('- nmap\n')).toEqual(['s.yaml: must map the name of each pool to the list of its instances']);
  });

  it('lists everything that is wrong at once, with line, pool, instance and key', () => {
    const text = `
nessus:
  - instance_id: main
    url: https://\${HOST}
    pasword: x
    retries: 10
  - instance_id: main
    url: https://a
  - url: https://b
  - just text
Nmap: []
openvas_1:
  - instance_id: a
nmap:
  instance_id: a
baseline:
  - instance_id: _x
    enabled: maybe
    max_concurrent_scans: 0
  - instance_id: other
    type: nmap
  - instance_id: third
`;
    expect(refusal(text)).toEqual([
      's.yaml:4: pool nessus, instance main, key url: variable HOST is not set',
      's.yaml:5: pool nessus, instance main, key pasword: unknown key; did you mean password?',
      's.yaml:9: pool nessus, instance number 3, key instance_id: is missing',
      's.yaml:10: pool nessus, instance number 4: must be a map of keys',
      's.yaml:3: pool nessus: instance_id main stands here twice',
      's.yaml:11: pool "Nmap": must be 1 to 63 of a-z, 0-9, _ and -, and not begin with _ or -',
      's.yaml:13: pool openvas_1, instance a, key type: there is no engine "openvas"; the engines are nessus, nmap, baseline',
      's.yaml:15: pool nmap: must be a list of instances ("- instance_id: ...")',
      's.yaml:17: pool baseline, instance _x, key instance_id: must be 1 to 63 of a-z, 0-9, ., _ and -, and begin with a letter or digit',
      's.yaml:18: pool baseline, instance _x, key enabled: expected boolean, received string',
      's.yaml:19: pool baseline, instance _x, key max_concurrent_scans: expected number to be >=1',
      's.yaml:17: pool baseline: all instances of a pool must be of one type, not of nmap and baseline',
    ]);
  });

  it('refuses the same instance id twice in a pool, and accepts it in two', () => {
    expect(refusal('nmap:\n  - instance_id: a\n  - instance_id: a\n')).toEqual([
      's.yaml:2: pool nmap: instance_id a stands here twice',
    ]);
    expect(read('nmap:\n  - instance_id: a\nbaseline:\n  - instance_id: a\n')).toHaveLength(2);
  });

  it('does not need the variables of a disabled instance, but its keys must be right', () => {
    const off = (more: string): string =>
      `nessus:\n  - {instance_id: a, enabled: false, url: "\${GONE}", max_concurrent_scans: "\${GONE}"${more}}\n`;
    const [pool] = read(off('')) ?? [];
    expect(pool?.instances).toMatchObject([{ instanceId: 'a', enabled: false, limit: 2 }]);
    expect(refusal(off(', usrename: x'))).toEqual([
      's.yaml:2: pool nessus, instance a, key usrename: unknown key; did you mean username?',
    ]);
    expect(refusal(off(', password: "${"'))).toHaveLength(1);
  });

  it('can list a disabled instance whose variables are missing, but not use it', async () => {
    const [pool] = read('nessus:\n  - {instance_id: a, enabled: false, url: "${GONE}"}\n') ?? [];
    const scanner = pool?.instances[0]?.create();
    expect(await scanner?.probe(AbortSignal.abort())).toMatchObject({ status: 'unhealthy', canLaunch: false });
  });

  it('names a syntax error by line and column', () => {
    expect(refusal('nmap:\n  - instance_id: a\n  - instance_id: "b\n')).toEqual([
      expect.stringMatching(/^s\.yaml:\d+:\d+: YAML: /),
    ]);
    expect(refusal('nmap: []\nnmap: []\n')).toEqual(['s.yaml:2:1: YAML: this key stands here twice']);
  });

  it('never shows a secret, whichever way it is wrong', () => {
    const secret = 'wrong-hunter2';
    const texts = [
      `nessus:\n  - {instance_id: a, url: "https://x", secret_key: ${secret}}\n`,
      `nessus:\n  - {instance_id: a, url: "${secret}", password: ""}\n`,
      `nessus:\n  - {instance_id: a, url: "\${S}", secret_key: "\${S}", retries: "\${S}", verify: "\${S}"}\n`,
      `nessus:\n  - {instance_id: "\${S}", enabled: "\${S}", type: "\${S}"}\n`,
      `nessus:\n  - instance_id: a\n    password: "${secret}" ${secret}\n`,
    ];
    for (const text of texts) expect(refusal(text, { S: secret }).join('\n')).not.toContain(secret);
    const plan = read(NESSUS, { ...env, PASSWORD: secret });
    expect(JSON.stringify(plan) + inspect(plan, { depth: 9 })).not.toContain(secret);
  });
});

describe('config/scanners.yaml', () => {
  const example = readFileSync(join(EXAMPLES_FOLDER, 'scanners.yaml'), 'utf8');

  it('changes nothing as it is', () => {
    expect(read(example)).toBeUndefined();
  });

  it('is right when everything in it is used', () => {
    const used = example.replace(/^##.*\n/gm, '').replace(/^# /gm, '');
    expect(
      poolsIn(used, 's.yaml', { types: ENGINES, env: {} })?.map(({ name, instances }) => [name, instances.length]),
    ).toEqual([
      ['baseline', 1],
      ['nmap', 1],
      ['nmap_dmz', 1],
      ['nessus', 1],
      ['tenable_vm', 1],
    ]);
  });
});
