import { afterEach, describe, expect, it } from 'vitest';
import { stopped } from './harness.ts';
import { absent, bodyOf, PlainNessus, type Oddities, type PlainReply, type Sender } from './plain-nessus.ts';

let plain: PlainNessus | undefined;
afterEach(async () => {
  await plain?.close();
  plain = undefined;
});

const unknown = (): PlainReply => ({ status: 501, json: { error: 'Not implemented' } });
const never = new AbortController().signal;
const SCAN = 'scan_0123456789abcdefghjk';
const WHOLE = { outcome: { whole: true }, error: undefined };

describe('a Nessus with no more than the reference promises', () => {
  const oddities: Readonly<Record<string, Oddities>> = {
    'as it is': {},
    'without properties, status and session': {
      'GET /server/properties': absent,
      'GET /server/status': absent,
      'GET /session': absent,
    },
    'without a call for folders': { 'GET /folders': absent },
    'with an editor that says nothing': { 'GET /editor/scan/{id}': () => ({ json: {} }) },
    'with tokens of other letters': {
      'POST /scans/{id}/export': () => ({ json: { token: 'tok_a_b', file: 7 } }),
      'GET /tokens/{id}/status': absent,
    },
    'with a token by its older name, which one route takes': {
      'POST /scans/{id}/export': () => ({ json: { file: 7, temp_token: 'tok-1' } }),
      'GET /scans/{id}/export/{id}/download': absent,
      'GET /scans/exports/{id}/download': () => ({
        type: 'application/octet-stream',
        text: '<NessusClientData_v2></NessusClientData_v2>',
      }),
    },
    'with nothing in a launch answer': {
      'POST /scans/{id}/launch': ({ ids }) => {
        plain?.launch(ids[0]);
        return {};
      },
    },
    'without a history': {
      'GET /scans/{id}': () => ({ json: { info: { status: plain?.statuses()[0] } } }),
      'GET /editor/scan/{id}': () => ({
        json: { settings: { basic: { inputs: [{ id: 'description', default: plain?.scans[0]?.description }] } } },
      }),
    },
    'with a history that names other runs': {
      'GET /scans/{id}': () => ({
        json: {
          info: { status: plain?.statuses()[0], name: plain?.scans[0]?.name, uuid: 'x' },
          hosts: [{ scanprogresscurrent: '3', scanprogresstotal: '100' }],
          history: [{ history_id: 3, uuid: 'y', status: 'completed' }],
        },
      }),
    },
    'busy when a report is asked for, and slow with it': {
      'POST /scans/{id}/export': ({ nth }) =>
        nth < 3 ? { status: 409, json: { error: 'Can not export running scans' } } : undefined,
      'GET /scans/{id}/export/{id}/status': ({ nth }) => (nth < 5 ? { json: { status: 'loading' } } : undefined),
    },
    'with 201 where something was made': {
      'POST /scans': ({ body }) => ({ status: 201, json: { scan: { id: plain?.create(body).id } } }),
    },
  };
  for (const [name, odd] of Object.entries(oddities)) {
    it(`is scanned with: ${name}`, async () => {
      plain = await PlainNessus.open(odd);
      expect(await plain.attempt()).toMatchObject(WHOLE);
      expect(plain.count('POST /scans')).toBe(1);
      expect(plain.count('POST /scans/{id}/launch')).toBe(1);
    });
  }

  const asText = (value: unknown): unknown => {
    if (typeof value === 'number') return String(value);
    if (Array.isArray(value)) return value.map(asText);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, asText(held)]));
  };
  const senders: Readonly<Record<string, Sender>> = {
    'numbers as text': ({ status = 200, json, ...reply }, response) => {
      response.writeHead(status).end(bodyOf(json === undefined ? reply : { json: asText(json) }));
    },
    'no type and no length': ({ status = 200, ...reply }, response) => {
      response.writeHead(status);
      for (const letter of bodyOf(reply)) response.write(letter);
      response.end();
    },
    'a connection for each': ({ status = 200, ...reply }, response) => {
      response.writeHead(status, { connection: 'close' }).end(bodyOf(reply));
    },
    'connections that end in silence once they have served': ({ status = 200, ...reply }, response) => {
      response.writeHead(status).end(bodyOf(reply), () => void response.socket?.end());
    },
    'text/plain': ({ status = 200, ...reply }, response) => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(bodyOf(reply));
    },
    'nothing where there is nothing to say': ({ status = 200, ...reply }, response) => {
      response.writeHead(status === 200 && bodyOf(reply) === '' ? 204 : status).end(bodyOf(reply));
    },
  };
  for (const [name, send] of Object.entries(senders)) {
    it(`is scanned with that sends ${name}`, async () => {
      plain = await PlainNessus.open({}, send);
      expect(await plain.attempt()).toMatchObject(WHOLE);
      expect(plain.count('POST /scans')).toBe(1);
      expect(plain.count('POST /scans/{id}/launch')).toBe(1);
    });
  }

  const unreadable: Readonly<Record<string, Oddities>> = {
    'an editor that is not there': {},
    'an editor that says nothing': { 'GET /editor/scan/{id}': () => ({ json: {} }) },
    'no session to ask for the account': { 'GET /session': absent },
    'calls that are not implemented': { 'GET /session': unknown, 'GET /editor/scan/{id}': unknown },
  };
  for (const [name, odd] of Object.entries(unreadable)) {
    it(`is not made to scan twice by a connection that broke after it had made the scan: ${name}`, async () => {
      plain = await PlainNessus.open({
        ...odd,
        'POST /scans': ({ body }, response) => {
          plain?.create(body);
          response.destroy();
          return 'done';
        },
      });
      expect(await plain.attempt()).toMatchObject(WHOLE);
      expect(plain.scans).toHaveLength(1);
    });

    it(`is not made to scan twice by a kill after it had made the scan: ${name}`, async () => {
      plain = await PlainNessus.open(odd);
      plain.create(JSON.stringify({ settings: { name: `scanmux ${SCAN}.1`, description: '' } }));
      const previous = { phase: 'intent', reference: `scanmux ${SCAN}.1` } as const;
      expect(await plain.attempt({ scanId: SCAN, epoch: 2, previous })).toMatchObject(WHOLE);
      expect(plain.count('POST /scans')).toBe(0);
      expect(plain.count('POST /scans/{id}/launch')).toBe(1);
    });
  }

  it('is ended as an edition that forbids it when the connection closes after the head of a 412', async () => {
    plain = await PlainNessus.open({
      'GET /server/properties': absent,
      'POST /scans': (_, response) => {
        response.writeHead(412, { 'content-length': 32, connection: 'close' });
        response.flushHeaders();
        setImmediate(() => response.destroy());
        return 'done';
      },
    });
    expect(await plain.attempt()).toMatchObject({ error: { code: 'scanner_edition_forbids_api' } });
    expect(plain.count('POST /scans')).toBe(1);
  });

  it('is seen to forbid it by the features beside the licence', async () => {
    plain = await PlainNessus.open({
      'GET /server/properties': () => ({
        json: { license: { type: 'x', features: {} }, features: { scan_api: false } },
      }),
    });
    expect(await plain.scanner().probe(never)).toMatchObject({ canLaunch: false });
  });

  it('is stopped although it shows nothing yet of a launch that it has taken', async () => {
    let looks = 0;
    const early = { info: { status: 'empty', object_id: 40 }, hosts: null, history: null };
    plain = await PlainNessus.open({
      'GET /scans/{id}': () => {
        looks += 1;
        return looks <= 2 ? { json: { ...early, info: { ...early.info, name: plain?.scans[0]?.name } } } : undefined;
      },
    });
    const stop = new AbortController();
    const { error } = await plain.attempt({
      signal: stop.signal,
      onCheckpoint: ({ reference }) => {
        if (reference?.includes('scan_uuid')) stop.abort(stopped('cancelled'));
      },
    });
    expect(error).toBe(stop.signal.reason);
    expect(plain.statuses()).toEqual(['canceled']);
  });

  it('keeps the login when its editor does not show what a scan holds, and that is said', async () => {
    plain = await PlainNessus.open({
      'GET /editor/scan/{id}': () => ({
        json: {
          settings: { basic: { inputs: [{ id: 'description', default: plain?.scans[0]?.description }] } },
        },
      }),
    });
    const { outcome } = await plain.attempt({
      request: { access: 'authenticated' },
      credential: { kind: 'ssh_password', username: 'u', password: 'pw-of-a-test' },
    });
    expect(outcome).toEqual({ whole: true, leftBehind: expect.stringContaining('delete scan 40 ') });
  });

  it('is let in by a session that was made with 201', async () => {
    plain = await PlainNessus.open({ 'POST /session': () => ({ status: 201, json: { token: 'abc' } }) });
    expect(await plain.attempt({ scanner: plain.scanner({ username: 'u', password: 'p' }) })).toMatchObject(WHOLE);
  });

  for (const [name, reply] of [
    ['nothing', { status: 503 }],
    ['a page', { status: 503, text: '<html>Starting', type: 'text/html' }],
  ] as const) {
    it(`is told to be away, not to be something else, when it starts and says ${name}`, async () => {
      plain = await PlainNessus.open({ 'GET /server/status': () => reply });
      const health = await plain.scanner().probe(never);
      expect(health).toMatchObject({ status: 'unhealthy', why: expect.stringContaining('status 503') });
      expect(health).toMatchObject({ why: expect.not.stringContaining('check url') });
    });
  }

  for (const status of [400, 403, 412]) {
    it(`keeps no scan that it refuses to launch with ${status}`, async () => {
      plain = await PlainNessus.open({ 'POST /scans/{id}/launch': () => ({ status, json: { error: 'no' } }) });
      expect(await plain.attempt()).toMatchObject({ error: { retryable: false } });
      expect(plain.scans).toEqual([]);
    });
  }

  const closed = (): PlainReply => ({ status: 401, json: { error: 'You need to log in to perform this request' } });

  it('is let in with keys although only sessions can be asked about', async () => {
    plain = await PlainNessus.open({ 'GET /session': closed });
    expect(await plain.scanner().probe(never)).toMatchObject({ status: 'healthy', canLaunch: true });
  });

  for (const [name, session] of [
    ['refuses them everywhere', closed],
    ['has no call to ask about them', absent],
  ] as const) {
    it(`is not healthy to keys that it refuses: one that ${name}`, async () => {
      plain = await PlainNessus.open({ 'GET /session': session, 'GET /folders': closed, 'GET /scans': closed });
      expect(await plain.scanner().probe(never)).toMatchObject({
        status: 'unhealthy',
        why: expect.stringContaining('refused the login'),
      });
    });
  }

  it('is not said to hold a login that no scan had', async () => {
    plain = await PlainNessus.open({ 'POST /scans': () => ({ status: 500, json: { error: 'no' } }) });
    const { error } = await plain.attempt();
    expect(error).toMatchObject({ code: 'scanner_unreachable', hint: expect.not.stringContaining('holds the login') });
  });
});
