import fc from 'fast-check';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { parseLenient } from '../../../../src/config/lenient-parse.ts';
import { Details, ScanList } from '../../../../src/scanners/nessus/api/answers.ts';
import { plainFingerprint } from '../../../../src/scanners/nessus/api/connection.ts';
import { scannerWords } from '../../../../src/scanners/nessus/api/faults.ts';
import { createReportCopy, endReport } from '../../../../src/scanners/nessus/live/copy-report.ts';
import { progressOf } from '../../../../src/scanners/nessus/live/host-progress.ts';
import { portRangeOf } from '../../../../src/scanners/nessus/live/new-scan.ts';
import { isMarker, isMarkerOf, markerOf, referenceOf, runOf } from '../../../../src/scanners/nessus/live/remote-run.ts';
import { isOver, stateOf } from '../../../../src/scanners/nessus/live/remote-state.ts';
import { NessusSettings, TenableVmSettings } from '../../../../src/scanners/nessus/live/settings.ts';

const never = new AbortController().signal;

describe('settings of a Nessus instance', () => {
  const KEYS = { access_key: 'a'.repeat(64), secret_key: 'b'.repeat(64) };
  const URL_ = { url: 'https://nessus.example:8834' };
  const issues = (raw: unknown): string => {
    const parsed = parseLenient(NessusSettings, raw);
    return parsed.ok ? '' : parsed.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
  };

  it('are few: a URL and a way to log in', () => {
    expect(issues({ ...URL_, ...KEYS })).toBe('');
    expect(issues({ ...URL_, username: 'u', password: 'p' })).toBe('');
    expect(parseLenient(TenableVmSettings, KEYS).ok).toBe(true);
  });

  it.each([
    ['no login', URL_, 'access_key'],
    ['half a key', { ...URL_, access_key: 'x' }, 'access_key'],
    ['two logins', { ...URL_, ...KEYS, username: 'u', password: 'p' }, 'access_key'],
    ['an address that is not encrypted', { url: 'http://nessus.example:8834', ...KEYS }, 'https'],
    ['an address with a password', { url: 'https://u:p@nessus.example', ...KEYS }, 'no user name'],
    ['two ways to trust', { ...URL_, ...KEYS, ca_file: '/ca.pem', tls_fingerprint: 'ab'.repeat(32) }, 'one of'],
    ['no trust and some', { ...URL_, ...KEYS, ca_file: '/ca.pem', tls_verify: false }, 'one of'],
    ['a fingerprint that is none', { ...URL_, ...KEYS, tls_fingerprint: 'ab:cd' }, 'SHA-256'],
    ['a relative file', { ...URL_, ...KEYS, ca_file: 'ca.pem' }, 'absolute'],
    ['a misspelt key', { ...URL_, ...KEYS, verify_tls: false }, 'tls_verify'],
    ['a key with a line break', { ...URL_, ...KEYS, secret_key: 'a\nb: c' }, 'one key'],
  ])('are refused with %s', (_, raw, words) => {
    expect(issues(raw)).toContain(words);
  });

  it('take http on this machine, for simulators', () => {
    expect(issues({ url: 'http://127.0.0.1:8834', ...KEYS })).toBe('');
    expect(issues({ url: 'http://127.0.0.1.example:8834', ...KEYS })).toContain('https');
  });

  it('take a fingerprint as every tool writes it', () => {
    const plain = 'ab12'.repeat(16);
    const colons = plain.toUpperCase().match(/../g)?.join(':') ?? '';
    expect([plain, colons, `SHA256:${colons}`, `sha256=${plain}`].map(plainFingerprint)).toEqual([
      plain,
      plain,
      plain,
      plain,
    ]);
  });
});

describe('the marker of a remote scan', () => {
  it('names scan and attempt, and is told from everything else', () => {
    const scanId = 'scan_0123456789abcdefghjk';
    const marker = markerOf({ scanId, epoch: 12 });
    expect(isMarker(marker)).toBe(true);
    expect(isMarkerOf(scanId, marker)).toBe(true);
    for (const other of [
      '',
      `Copy of ${marker}`,
      `${marker} `,
      'scanmux scan_short.1',
      `scanmux ${scanId}`,
      marker.replace('scanmux', 'Scanmux'),
    ])
      expect(isMarker(other)).toBe(false);
  });

  it('survives a checkpoint, and anything else that stands there is no run', () => {
    const run = { id: '30', marker: 'scanmux x.1', history_id: '9', scan_uuid: 'u-1' };
    expect(runOf(referenceOf(run))).toEqual(run);
    fc.assert(fc.property(fc.string(), (reference) => runOf(reference) === undefined));
    expect(runOf('{"id":"../../session","marker":"x"}')).toBeUndefined();
  });
});

describe('what Nessus answers', () => {
  it('may lack what it lacks, and one odd entry hides no other', () => {
    expect(ScanList.parse({ scans: null }).scans).toEqual([]);
    expect(ScanList.parse({}).scans).toEqual([]);
    const list = ScanList.parse({
      scans: [
        { id: 1, name: 'a', status: 'Running' },
        { id: '../x', name: 'b' },
        7,
        { id: 'ab-1', name: 'c', uuid: null },
      ],
    });
    expect(list.scans.map(({ id, status }) => [id, status])).toEqual([
      ['1', 'running'],
      ['ab-1', ''],
    ]);
    expect(Details.parse({ info: {}, hosts: null, vulnerabilities: null, history: null })).toMatchObject({
      hosts: [],
      history: [],
    });
  });

  it('never makes progress of nonsense', () => {
    const odd = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(undefined, null, 'x', -1, Infinity, Number.NaN));
    fc.assert(
      fc.property(fc.array(fc.record({ scanprogresscurrent: odd, scanprogresstotal: odd, count: odd })), (hosts) => {
        const { percent, hostsDone, findingsSoFar } = progressOf(
          Details.parse({ info: {}, hosts, vulnerabilities: hosts }),
        );
        expect(percent).toBeGreaterThanOrEqual(0);
        expect(percent).toBeLessThan(100);
        expect(hostsDone).toBeLessThanOrEqual(hosts.length);
        expect(Number.isSafeInteger(findingsSoFar)).toBe(true);
      }),
    );
    const huge = {
      scanprogresscurrent: Number.MAX_VALUE / 2,
      scanprogresstotal: Number.MAX_VALUE,
      count: Number.MAX_VALUE,
    };
    expect(progressOf(Details.parse({ info: {}, hosts: [huge, huge], vulnerabilities: [huge, huge] }))).toMatchObject({
      percent: 99,
      findingsSoFar: Number.MAX_SAFE_INTEGER,
    });
    const host = (done: number) => ({ scanprogresscurrent: done, scanprogresstotal: 100 });
    expect(progressOf(Details.parse({ info: {}, hosts: [host(100), host(50)] }))).toMatchObject({
      percent: 75,
      hostsDone: 1,
    });
  });

  it('has states of which none is over by its ending', () => {
    expect(['completed', 'canceled', 'cancelled', 'aborted', 'stopped', 'imported'].every(isOver)).toBe(true);
    expect(['paused', 'empty', 'pending', 'stopping', 'interrupted', '', '__proto__', 'constructor'].some(isOver)).toBe(
      false,
    );
    expect(stateOf('toString')).toBe('unknown');
  });

  it('is repeated without what must not be repeated', () => {
    expect(scannerWords('bad key s3cret-value\u001b[31m!', ['s3cret-value', ''])).toBe('bad key [hidden]\\u{1b}[31m!');
  });
});

describe('ports', () => {
  it('are one list for all targets of a scan', () => {
    expect(portRangeOf({ targets: ['10.0.0.1'] })).toBeUndefined();
    expect(portRangeOf({ targets: ['10.0.0.1', 'a.example'], ports: '22,80-90' })).toBe('22,80-90');
    expect(portRangeOf({ targets: ['10.0.0.1:443', '[2001:db8::1]:443', 'a.example:443'] })).toBe('443');
    expect(portRangeOf({ targets: ['2001:db8::1', '10.0.0.0/24'] })).toBeUndefined();
    expect(() => portRangeOf({ targets: ['10.0.0.1:443', '10.0.0.2'] })).toThrow(/same ports/);
    expect(() => portRangeOf({ targets: ['10.0.0.1'], ports: '22;id' })).toThrow(/list of ports/);
  });
});

describe('a report that comes in pieces', () => {
  const DOCUMENT = `<?xml version="1.0" ?>\n<NessusClientData_v2>${'<Policy>x</Policy>'.repeat(200)}</NessusClientData_v2>\n`;
  const bytes = Buffer.from(DOCUMENT);
  const pieces = (to: number, size: number): Readable =>
    Readable.from(
      (function* () {
        for (let at = 0; at < to; at += size) yield bytes.subarray(at, Math.min(at + size, to));
      })(),
    );

  it('is the same whatever the pieces and wherever the downloads before it broke off', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: bytes.length - 12 }), { maxLength: 4 }),
        fc.integer({ min: 1, max: 900 }),
        async (breaks, size) => {
          const report = new PassThrough();
          const written = text(report);
          const copy = createReportCopy(report);
          for (const at of breaks) expect(await copy.take(pieces(at, size), never)).toMatch(/cut|no_report/);
          expect(await copy.take(pieces(bytes.length, size), never)).toBe('whole');
          await endReport(report);
          expect(await written).toBe(DOCUMENT);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is not continued with another one', async () => {
    const copy = createReportCopy(new PassThrough().resume());
    await copy.take(pieces(2_000, 100), never);
    const other = DOCUMENT.replace('Policy', 'Pol1cy');
    expect(await copy.take(Readable.from([Buffer.from(other)]), never)).toBe('differs');
  });

  it('is none when it begins as something else', async () => {
    for (const page of ['<!DOCTYPE html><html></html>', '{"error":"x"}', 'a', '']) {
      const report = new PassThrough();
      const written = text(report);
      const copied = await createReportCopy(report).take(Readable.from([Buffer.from(page)]), never);
      expect(copied).not.toBe('whole');
      await endReport(report);
      expect(await written).toBe('');
    }
  });
});
