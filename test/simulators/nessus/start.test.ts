import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCertificate } from '../../../src/simulators/nessus/certificate.ts';
import { oid, time, tlv } from '../../../src/simulators/nessus/der.ts';
import { readScenario } from '../../../src/simulators/nessus/scenario-file.ts';
import { startNessusSimulator } from '../../../src/simulators/nessus/simulator.ts';
import { targetsOf } from '../../../src/simulators/nessus/targets.ts';
import { connect } from './nessus-client.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error);

describe('the certificate', () => {
  it('is valid for 127.0.0.1 and vouches for itself', () => {
    const { certificate, fingerprint } = createCertificate('none', Date.now());
    const parsed = new X509Certificate(certificate);
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(parsed.checkHost('localhost')).toBe('localhost');
    expect(parsed.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(fingerprint);
    expect(parsed.subject).toBe(parsed.issuer);
  });

  it.each([
    ['none', 'trusted', 200],
    ['none', 'not trusted', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['expired', 'trusted', 'CERT_HAS_EXPIRED'],
    ['wrong_host', 'trusted', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ] as const)('with the flaw "%s", %s, leads to %s', async (certificate, trust, expected) => {
    const simulator = await startNessusSimulator({ scenario: { certificate } });
    const ca = trust === 'trusted' ? simulator.certificate?.certificate : undefined;
    const dispatcher = new Agent({ connect: ca === undefined ? {} : { ca } });
    const asked = await request(`${simulator.url}/server/status`, { dispatcher }).then(
      ({ statusCode }) => statusCode,
      codeOf,
    );
    expect(asked).toBe(expected);
    await dispatcher.destroy();
    await simulator.close();
  });

  it('is written for the client, and stays the same where the state is kept', async () => {
    const options = { stateFile: join(folder, 'state'), caFile: join(folder, 'ca.pem') };
    const one = await startNessusSimulator(options);
    await one.close();
    const other = await startNessusSimulator(options);
    await other.close();
    expect(other.certificate?.fingerprint).toBe(one.certificate?.fingerprint);
    expect(readFileSync(options.caFile, 'utf8')).toBe(one.certificate?.certificate);
  });

  it('is made of DER as ITU-T X.690 has it', () => {
    expect(tlv(0x04, Buffer.alloc(127)).subarray(0, 2).toString('hex')).toBe('047f');
    expect(tlv(0x04, Buffer.alloc(128)).subarray(0, 3).toString('hex')).toBe('048180');
    expect(tlv(0x04, Buffer.alloc(70_000)).subarray(0, 5).toString('hex')).toBe('0483011170');
    expect(oid('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
    expect(time(new Date('2049-12-31T23:59:59Z')).toString('latin1').slice(2)).toBe('491231235959Z');
    expect(time(new Date('2050-01-01T00:00:00Z')).toString('latin1').slice(2)).toBe('20500101000000Z');
  });
});

describe('a scenario file', () => {
  const scenario = (text: string): ReturnType<typeof readScenario> => {
    const path = join(folder, 'scenario.yaml');
    writeFileSync(path, text);
    return readScenario(path);
  };

  it('may be empty', () => {
    expect(scenario('# nothing\n')).toMatchObject({ edition: 'manager', version: '10.8.3', faults: [] });
  });

  it('names a report beside it', () => {
    const { runs } = scenario('runs: [{report: {file: given.nessus}}]');
    expect(runs[0]?.report.file).toBe(join(folder, 'given.nessus'));
  });

  it.each([
    ['edition: home\nseed: -1\nsurprise: 1', /Unrecognized key: "surprise"[\s\S]*edition[\s\S]*seed/],
    ['faults: [{on: "POST scans", do: reset}]', /must be like "POST \/scans\/\{id\}\/launch"[\s\S]*faults\[0\]\.on/],
    ['edition: [', /scenario\.yaml: /],
    ['runs: [{walk: [{status: "Läuft"}]}]', /must be a word in lower case/],
  ])('that is wrong is refused, with every wrong key: %j', (text, message) => {
    expect(() => scenario(text)).toThrow(message);
  });

  it('that is not there is refused', () => {
    expect(() => readScenario(join(folder, 'none.yaml'))).toThrow(/none\.yaml cannot be read/);
  });

  it('chooses how a scan goes by its name, its targets or its number', async () => {
    const client = await connect({
      runs: [
        { when: { name_contains: 'quick' }, walk: [{ status: 'running', for_ms: 10 }] },
        { when: { target: '10.0.0.9' }, ends: 'aborted' },
        { when: { nth: 4 }, ends: 'stopped' },
      ],
    });
    const statuses: string[] = [];
    for (const settings of [{ name: 'a quick one' }, { text_targets: '10.0.0.9' }, {}, {}]) {
      const id = await client.create(settings);
      await client.launch(id);
      client.sim.control.advance(10);
      if ('name' in settings) statuses.push(await client.status(id));
      client.sim.control.advance(1_000_000);
      statuses.push(await client.status(id));
    }
    await client.close();
    expect(statuses).toEqual(['completed', 'completed', 'aborted', 'completed', 'stopped']);
  });
});

describe('the kept state', () => {
  it('has folders, scans and launches over a restart; what ran is aborted', async () => {
    const stateFile = join(folder, 'state');
    let client = await connect({ scans: [{ name: 'foreign' }] }, { stateFile });
    const id = await client.create({ name: 'mine' });
    const uuid = await client.launch(id);
    client.sim.control.advance(5_000_000);
    const at = client.sim.control.now();
    await client.launch(id);
    const folders = (await client.ask('GET', '/folders')).value;
    await client.close();
    client = await connect({ scans: [{ name: 'foreign' }] }, { stateFile });
    expect(client.sim.control.now()).toBeGreaterThanOrEqual(at);
    expect(client.sim.control.scans()).toMatchObject([
      { name: 'foreign', status: 'completed' },
      { id, name: 'mine', status: 'aborted', launches: [{ uuid, status: 'completed' }, { status: 'aborted' }] },
    ]);
    expect((await client.ask('GET', '/folders')).value).toEqual(folders);
    expect(await client.create()).toBeGreaterThan(id);
    await client.close();
  });

  it('survives a line that was being written', async () => {
    const stateFile = join(folder, 'state');
    let client = await connect({}, { stateFile });
    await client.create({ name: 'whole' });
    await client.close();
    writeFileSync(stateFile, '{"scan":{"id":99,"na', { flag: 'a' });
    client = await connect({}, { stateFile });
    expect(client.sim.control.scans()).toMatchObject([{ name: 'whole' }]);
    await client.close();
  });

  it('is not made of any file', async () => {
    writeFileSync(join(folder, 'other'), 'hello\n');
    await expect(connect({}, { stateFile: join(folder, 'other') })).rejects.toThrow(/is no state file/);
    await expect(connect({}, { journalFile: join(folder, 'other') })).rejects.toThrow(/is no journal/);
  });
});

describe('targets', () => {
  it.each([
    ['10.0.0.1,10.0.0.2 10.0.0.1\napp.test', ['10.0.0.1', '10.0.0.2', 'app.test']],
    ['192.168.0.0/30', ['192.168.0.1', '192.168.0.2']],
    ['10.0.0.5/32', ['10.0.0.5']],
    ['10.0.0.254-10.0.1.1', ['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1']],
    ['my-host.test fe80::1', ['my-host.test', 'fe80::1']],
  ])('%j are single hosts', (text, hosts) => {
    expect(targetsOf(text)).toEqual(hosts);
  });

  it('are never more than 65,536', () => {
    expect(targetsOf('10.0.0.0/8')).toHaveLength(65_536);
  });
});
