import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nessusFormat } from '../../../src/scanners/nessus/format.ts';
import { LOGIN_OUTCOMES } from '../../../src/simulators/nessus/report/login-items.ts';
import type { ScenarioInput } from '../../../src/simulators/nessus/scenario.ts';
import { ADVANCED, connect, type Client } from './nessus-client.ts';

let client: Client;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-'));
});
afterEach(async () => {
  await client.close();
  rmSync(folder, { recursive: true, force: true });
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const ssh = (fields: Readonly<Record<string, string | undefined>>): Record<string, unknown> => ({
  credentials: { add: { Host: { SSH: [fields] } }, edit: {}, delete: [] },
});
const PASSWORD = ssh({ auth_method: 'password', username: 'scan', password: 'hunter2-canary' });

async function upload(name: string, content: string): Promise<unknown> {
  const form = new FormData();
  form.set('Filedata', new Blob([content]), name);
  const answer = await fetch(`${client.sim.url}/file/upload?no_enc=1`, {
    method: 'POST',
    body: form,
    headers: client.keys,
  });
  return answer.json();
}

describe('credentials of a scan', () => {
  it('are kept as hashes: nothing else is in the journal, the state or an answer', async () => {
    const [stateFile, journalFile] = [join(folder, 'state'), join(folder, 'journal')];
    client = await connect({}, { stateFile, journalFile });
    const windows = { auth_method: 'Password', username: 'adm', password: 'w1n-canary', domain: 'CORP' };
    const escalated = {
      elevate_privileges_with: 'sudo',
      escalation_account: 'root',
      escalation_password: 'sud0-canary',
    };
    const id = await client.create(
      {},
      {
        credentials: {
          add: {
            Host: {
              SSH: [{ ...escalated, auth_method: 'password', username: 'scan', password: 'hunter2-canary' }],
              Windows: [windows],
            },
          },
        },
      },
    );
    const editor = await client.ask('GET', `/editor/scan/${id}`);
    expect(client.sim.control.scans()[0]?.credentials).toMatchObject([
      {
        type: 'SSH',
        plain: { username: 'scan', elevate_privileges_with: 'sudo', escalation_account: 'root' },
        secrets: { password: sha256('hunter2-canary'), escalation_password: sha256('sud0-canary') },
      },
      { type: 'Windows', plain: { username: 'adm', domain: 'CORP' }, secrets: { password: sha256('w1n-canary') } },
    ]);
    expect(editor.text).toContain('"password":"********"');
    const kept = [readFileSync(stateFile, 'utf8'), readFileSync(journalFile, 'utf8'), editor.text];
    expect(kept.filter((text) => text.includes('canary'))).toEqual([]);
  });

  it('may be repeated in the export, as a careless plugin does, in several forms', async () => {
    client = await connect({ runs: [{ report: { echo_secrets: true } }] });
    await upload('id_rsa', 'KEY canary');
    const key = { auth_method: 'public key', username: 'scan', private_key: 'id_rsa' };
    const id = await client.create({}, ssh({ ...key, private_key_passphrase: 'p&ss canary' }));
    await client.launch(id);
    client.sim.control.advance(1_000_000);
    const { text } = await client.ask('GET', await client.export(id));
    for (const form of ['p&amp;ss canary', 'KEY canary', 'p%26ss%20canary', 'cCZzcyBjYW5hcnk=', 'KEY%20canary'])
      expect(text).toContain(form);
  });

  it('need a key that was uploaded, and let go of it when they go', async () => {
    client = await connect();
    expect(await upload('id_ed25519', 'PRIVATE canary')).toEqual({ fileuploaded: 'id_ed25519' });
    expect(await upload('/home/a/id_ed25519', 'other')).toEqual({ fileuploaded: 'id_ed25519-2' });
    const key = { auth_method: 'public key', username: 'scan', private_key: 'id_ed25519', private_key_passphrase: 'p' };
    const settings = { name: 'x', text_targets: '10.0.0.1' };
    const refused = { uuid: ADVANCED, settings, ...ssh({ ...key, private_key: 'id_rsa' }) };
    expect((await client.ask('POST', '/scans', refused)).value).toEqual({ error: "Invalid 'private_key' field" });
    const id = await client.create({}, ssh(key));
    expect(client.sim.control.uploads()).toMatchObject([
      { name: 'id_ed25519', bytes: 14, sha256: sha256('PRIVATE canary'), removedAt: undefined },
      { name: 'id_ed25519-2' },
    ]);
    const credential = client.sim.control.scans()[0]?.credentials[0]?.id;
    await client.ask('PUT', `/scans/${id}`, { credentials: { add: {}, edit: {}, delete: [credential] } });
    expect(client.sim.control.scans()[0]?.credentials).toEqual([]);
    expect(client.sim.control.uploads()[0]?.removedAt).toBe(client.sim.control.now());
  });

  it('let go of their key when the scan is deleted', async () => {
    client = await connect();
    await upload('id_rsa', 'key');
    const id = await client.create({}, ssh({ auth_method: 'public key', username: 'scan', private_key: 'id_rsa' }));
    await client.ask('DELETE', `/scans/${id}`);
    expect(client.sim.control.uploads()[0]?.removedAt).toBe(client.sim.control.now());
  });

  it.each([
    ['auth_method', { auth_method: 'publickey', username: 'scan' }],
    ['elevate_privileges_with', { auth_method: 'password', username: 'scan', elevate_privileges_with: 'Cisco enable' }],
    ['username', { auth_method: 'password', password: 'x' }],
    ['user_cert', { auth_method: 'certificate', username: 'scan', user_cert: 'id_ed25519-cert.pub' }],
  ])('are refused with a wrong %s', async (field, fields) => {
    client = await connect();
    const settings = { name: 'x', text_targets: '10.0.0.1' };
    expect(await client.ask('POST', '/scans', { uuid: ADVANCED, settings, ...ssh(fields) })).toMatchObject({
      status: 400,
      value: { error: `Invalid '${field}' field` },
    });
  });

  it('are no credentials without a file in the form', async () => {
    client = await connect();
    expect(await client.ask('POST', '/file/upload', {})).toMatchObject({ status: 400 });
  });
});

describe('the login to a host', () => {
  const report = async (run: NonNullable<ScenarioInput['runs']>[number], more = PASSWORD): Promise<string> => {
    client = await connect({ runs: [{ ...run, report: { findings_per_host: 1 } }] });
    const id = await client.create({ text_targets: '10.0.0.1' }, more);
    await client.launch(id);
    client.sim.control.advance(1_000_000);
    return (await client.ask('GET', await client.export(id))).text;
  };
  const ids = (text: string): string[] =>
    [...text.matchAll(/pluginID="(\d+)"/g)].flatMap(([, id]) => (id && Number(id) < 900_000 ? [id] : []));
  const credentialed = (text: string): string | undefined => /Credentialed checks : (\w+)/.exec(text)?.[1];
  const login = async (text: string): Promise<unknown> => {
    for await (const event of nessusFormat.parse(Readable.from([Buffer.from(text)])))
      if (event.kind === 'place') return event.place.login;
    return 'no place';
  };

  /** Outcome of the scenario -> plugins that speak of it, and what scanmux makes of them. */
  const EXPECTED: Readonly<Record<(typeof LOGIN_OUTCOMES)[number], readonly [string, string[], string | undefined]>> = {
    success: ['yes', ['141118', '110095', '117887'], 'success'],
    failed: ['no', ['104410', '21745'], 'failed'],
    wrong_key: ['no', ['104410', '21745'], 'failed'],
    insufficient_privilege: ['yes', ['141118', '110385', '117887'], 'partial'],
    needs_privilege: ['yes', ['141118', '110385', '117887'], 'partial'],
    intermittent: ['yes', ['141118', '117885', '117887'], 'partial'],
    patch_check_failed: ['yes', ['141118', '110095', '21745'], 'partial'],
    service_closed: ['no', ['117886'], 'failed'],
    no_admin: ['yes', ['141118', '24786'], 'partial'],
    no_registry: ['no', ['26917'], 'failed'],
  };

  it.each(LOGIN_OUTCOMES)('that ends as %s is told by its plugins', async (outcome) => {
    const text = await report({ login: outcome });
    const [checks, plugins, read] = EXPECTED[outcome];
    expect(ids(text)).toEqual([...plugins, '19506']);
    expect(credentialed(text)).toBe(checks);
    expect(await login(text)).toBe(read);
  });

  it('is not tried without credentials', async () => {
    const text = await report({ login: 'failed' }, {});
    expect(ids(text)).toEqual(['110723', '117886', '19506']);
    expect(credentialed(text)).toBe('no');
    expect(await login(text)).toBeUndefined();
  });

  it('succeeds with the privilege it needs', async () => {
    const sudo = ssh({ auth_method: 'password', username: 'scan', password: 'x', elevate_privileges_with: 'sudo' });
    expect(ids(await report({ login: 'needs_privilege' }, sudo))).toContain('110095');
  });

  it('may go otherwise on one host', async () => {
    client = await connect({ runs: [{ logins: { '10.0.0.2': 'failed' } }] });
    const id = await client.create({ text_targets: '10.0.0.1 10.0.0.2' }, PASSWORD);
    await client.launch(id);
    client.sim.control.advance(1_000_000);
    const { text } = await client.ask('GET', await client.export(id));
    expect([...text.matchAll(/Credentialed checks : (\w+)/g)].map(([, word]) => word)).toEqual(['yes', 'no']);
  });
});
