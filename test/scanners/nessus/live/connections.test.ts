import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScenarioInput } from '../../../../src/simulators/nessus/scenario.ts';
import { createCertificate } from '../../../../src/simulators/nessus/certificate.ts';
import { openLab, type Lab } from './harness.ts';

const never = new AbortController().signal;
const SESSION = { username: 'scanner', password: 'simulated' };

let lab: Lab;
afterEach(async () => lab.close());

describe('the certificate of a scanner', () => {
  const tls = (scenario: ScenarioInput = {}, settings: Record<string, unknown> = {}): Promise<Lab> =>
    openLab(scenario, settings, { http: false });

  it('is trusted when it is the pinned one', async () => {
    lab = await tls();
    expect(await lab.scanner.probe(never)).toMatchObject({ status: 'healthy' });
  });

  it('is trusted when the authority of ca_file signed it', async () => {
    lab = await tls();
    const folder = await mkdtemp(join(tmpdir(), 'scanmux-test-'));
    try {
      const file = join(folder, 'ca.pem');
      await writeFile(file, lab.sim.certificate?.certificate ?? '');
      expect(await lab.another({ ca_file: file }).probe(never)).toMatchObject({ status: 'healthy' });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('is not trusted by itself, and the operator hears what to write', async () => {
    lab = await tls();
    const health = await lab.another({ tls_verify: true }).probe(never);
    expect(health).toMatchObject({
      status: 'unhealthy',
      canLaunch: false,
      why: expect.stringContaining('tls_fingerprint'),
    });
    expect(lab.sim.journal.entries()).toEqual([]);
  });

  it('is not looked at where the operator wrote so', async () => {
    lab = await tls({ certificate: 'expired' });
    expect(await lab.another({ tls_verify: false }).probe(never)).toMatchObject({ status: 'healthy' });
  });

  it('is refused when it is another one than the pinned, before any key is sent', async () => {
    lab = await tls();
    const health = await lab.another({ tls_fingerprint: 'ab'.repeat(32) }).probe(never);
    expect(health).toMatchObject({
      status: 'unhealthy',
      why: expect.stringContaining('does not show the certificate'),
    });
    expect(lab.sim.journal.entries()).toEqual([]);
  });

  for (const [certificate, words] of [
    ['expired', 'expired'],
    ['wrong_host', 'another name'],
  ] as const) {
    it(`is refused when it is ${certificate}`, async () => {
      lab = await tls({ certificate });
      const folder = await mkdtemp(join(tmpdir(), 'scanmux-test-'));
      try {
        const file = join(folder, 'ca.pem');
        await writeFile(file, lab.sim.certificate?.certificate ?? '');
        const health = await lab.another({ ca_file: file }).probe(never);
        expect(health).toMatchObject({ status: 'unhealthy', why: expect.stringContaining(words) });
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});

describe('the authorities of ca_file', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'scanmux-test-'));
    file = join(folder, 'ca.pem');
  });
  afterEach(async () => rm(folder, { recursive: true }));
  const foreign = (): string => createCertificate('none', Date.now()).certificate;
  const tls = (): Promise<Lab> => openLab({}, {}, { http: false });

  for (const [what, content] of [
    ['garbage', 'not a certificate'],
    ['nothing', ''],
    ['a key', '-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n'],
    ['a broken certificate', '-----BEGIN CERTIFICATE-----\nMIIBroken\n-----END CERTIFICATE-----\n'],
  ] as const) {
    it(`are refused at once when it holds ${what}, with its path`, async () => {
      lab = await tls();
      await writeFile(file, content);
      expect(() => lab.another({ ca_file: file })).toThrow(
        expect.objectContaining({ code: 'config_invalid', message: expect.stringContaining(file) }),
      );
    });
  }

  it('are refused when it is not there, with its path and the reason', async () => {
    lab = await tls();
    expect(() => lab.another({ ca_file: file })).toThrow(
      expect.objectContaining({ code: 'config_invalid', message: `ca_file ${file} cannot be read (ENOENT).` }),
    );
  });

  it('that did not sign it: which setting does not match, and what the scanner shows', async () => {
    lab = await tls();
    await writeFile(file, foreign());
    const { why = '' } = await lab.another({ ca_file: file }).probe(never);
    expect(why).toContain(`no authority in ca_file ${file} signed its certificate`);
    expect(why).toContain(new X509Certificate(lab.sim.certificate?.certificate ?? '').fingerprint256);
    expect(why).toMatch(/the certificate of ".*CN=.*" from ".*CN=.*"/);
    expect(why).not.toContain('set ca_file');
    expect(lab.sim.journal.entries()).toEqual([]);
  });

  it('count as the file is now, without a restart', async () => {
    lab = await tls();
    await writeFile(file, foreign());
    const scanner = lab.another({ ca_file: file });
    expect(await scanner.probe(never)).toMatchObject({ status: 'unhealthy' });
    await writeFile(file, lab.sim.certificate?.certificate ?? '');
    expect(await scanner.probe(never)).toMatchObject({ status: 'healthy' });
  });

  it('stay the last good ones when the file is broken later, and that is said', async () => {
    lab = await tls();
    await writeFile(file, foreign());
    const scanner = lab.another({ ca_file: file });
    await writeFile(file, 'half of a');
    expect(await scanner.probe(never)).toMatchObject({ why: expect.stringContaining('holds no PEM certificate') });
  });
});

describe('a session', () => {
  it('is one for all scans of an instance, and is closed with it', async () => {
    lab = await openLab({}, SESSION);
    await Promise.all([lab.attempt(), lab.attempt(), lab.attempt()]);
    expect(lab.all('POST', '/session')).toHaveLength(1);
    expect(lab.sim.control.openSessions()).toBe(1);
    await lab.scanner.close?.();
    expect(lab.sim.control.openSessions()).toBe(0);
  });

  it('is opened anew once for everybody when it has ended', async () => {
    lab = await openLab({ runs: [{ walk: [{ status: 'running', for_ms: 60_000 }] }] }, SESSION);
    let isExpired = false;
    const onProgress = (): void => {
      if (!isExpired) lab.sim.control.expireSessions();
      isExpired = true;
    };
    const ended = await Promise.all([lab.attempt({ onProgress }), lab.attempt(), lab.attempt()]);
    expect(ended.map(({ outcome }) => outcome)).toEqual([{ whole: true }, { whole: true }, { whole: true }]);
    expect(lab.all('POST', '/session')).toHaveLength(2);
  });

  it('that idles out between two looks costs nothing', async () => {
    lab = await openLab(
      { auth: { idle_timeout_ms: 12_000 }, runs: [{ walk: [{ status: 'running', for_ms: 300_000 }] }] },
      SESSION,
    );
    const { outcome } = await lab.attempt();
    expect(outcome).toEqual({ whole: true });
    expect(lab.done('POST', '/scans/{id}/launch')).toHaveLength(1);
  });

  it('is not closed under a running scan', async () => {
    lab = await openLab({}, SESSION);
    let closing: Promise<void> | undefined;
    const { outcome } = await lab.attempt({ onProgress: () => void (closing ??= lab.scanner.close?.()) });
    expect(outcome).toEqual({ whole: true });
    await closing;
    expect(lab.sim.control.openSessions()).toBe(0);
  });
});

describe('a probe', () => {
  it('says version and edition', async () => {
    lab = await openLab({ version: '10.8.4' });
    expect(await lab.scanner.probe(never)).toMatchObject({ status: 'healthy', canLaunch: true, version: '10.8.4' });
  });

  for (const edition of ['essentials', 'professional'] as const) {
    it(`says that ${edition} starts no scans, and what to do instead`, async () => {
      lab = await openLab({ edition });
      expect(await lab.scanner.probe(never)).toMatchObject({
        status: 'healthy',
        canLaunch: false,
        refusal: 'scanner_edition_forbids_api',
        why: expect.stringContaining('import'),
      });
    });
  }

  it('knows the edition also when its session ended meanwhile: without one, the properties leave it out', async () => {
    lab = await openLab({ edition: 'essentials' }, { username: 'scanner', password: 'simulated' });
    await lab.scanner.probe(never);
    await lab.pass(40 * 60_000);
    expect(await lab.scanner.probe(never)).toMatchObject({ canLaunch: false, refusal: 'scanner_edition_forbids_api' });
  });

  it('says that Nessus is starting, and how far it is', async () => {
    lab = await openLab({ boot_ms: 60_000 });
    const health = await lab.scanner.probe(never);
    expect(health).toMatchObject({ status: 'unhealthy', why: expect.stringMatching(/not ready: loading \(\d+ %\)/) });
    expect(lab.sim.journal.entries()).toHaveLength(1);
  });

  it('says that the login is refused, and that nobody is there', async () => {
    lab = await openLab();
    const wrong = lab.another({ access_key: 'a', secret_key: 'b' });
    expect(await wrong.probe(never)).toMatchObject({
      status: 'unhealthy',
      why: expect.stringContaining('refused the login'),
    });
    const nobody = lab.another({ url: 'http://127.0.0.1:1' });
    expect(await nobody.probe(never)).toMatchObject({
      status: 'unhealthy',
      why: expect.stringContaining('nothing listens'),
    });
  });

  it('speaks of Tenable Vulnerability Management as what it is', async () => {
    lab = await openLab({ edition: 'tenable_vm' });
    expect(await lab.scanner.probe(never)).toMatchObject({
      status: 'healthy',
      edition: 'Tenable Vulnerability Management',
    });
  });

  it('does not wait for a server that never answers, nor for one that speaks something else', async () => {
    lab = await openLab({ faults: [{ on: '*', do: 'hang' }] });
    const silent = lab.another({ answer_seconds: 1 });
    expect(await silent.probe(never)).toMatchObject({ status: 'unhealthy', why: expect.stringContaining('in time') });
    const other = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('SSH-2.0-OpenSSH_9.9\r\n'),
    );
    await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
    const bound = other.address();
    const port = typeof bound === 'object' ? (bound?.port ?? 0) : 0;
    const health = await lab.another({ url: `http://127.0.0.1:${port}` }).probe(never);
    expect(health).toMatchObject({ status: 'unhealthy', why: expect.stringContaining('does not speak') });
    await new Promise((resolve) => void other.close(resolve));
  });

  it('does not follow a redirect, which could take the keys elsewhere', async () => {
    const { createServer: http } = await import('node:http');
    let followed = 0;
    const server = http((request, response) => {
      if (request.url === '/elsewhere') followed += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const bound = server.address();
    lab = await openLab();
    const scanner = lab.another({ url: `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}` });
    expect(await scanner.probe(never)).toMatchObject({
      status: 'unhealthy',
      why: expect.stringContaining('elsewhere'),
    });
    expect(followed).toBe(0);
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
});

describe('the list of scans', () => {
  it('is asked for once for all scans that wait', async () => {
    lab = await openLab({ runs: [{ walk: [{ status: 'running', for_ms: 600_000 }] }] });
    const alone = await openLab({ runs: [{ walk: [{ status: 'running', for_ms: 600_000 }] }] });
    await alone.attempt();
    const one = alone.all('GET', '/scans').length;
    await alone.close();
    await Promise.all(Array.from({ length: 8 }, () => lab.attempt()));
    expect(lab.all('GET', '/scans').length).toBeLessThan(3 * one);
    expect(Math.max(...lab.sim.journal.entries().map(({ in_flight: count }) => count))).toBeLessThanOrEqual(6);
  });
});
