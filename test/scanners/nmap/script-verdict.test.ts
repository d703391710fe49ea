import { describe, expect, it } from 'vitest';
import { ParsedFinding } from '../../../src/model/finding.ts';
import type { ScriptNode, ScriptResult } from '../../../src/scanners/nmap/script-tree.ts';
import { verdictOf } from '../../../src/scanners/nmap/script-verdict.ts';
import { eventsOf, findingsIn, fixture } from './reading.ts';

const elem = (key: string, text: string): ScriptNode => ({ key, text, children: [] });
const table = (key: string, ...children: ScriptNode[]): ScriptNode => ({ key, text: '', children });
const script = (tables: ScriptNode[], output = '', id = 'ssl-poodle'): ScriptResult => ({ id, output, tables });
const weakness = (state: string, ...more: ScriptNode[]): ScriptNode =>
  table(
    'CVE-2014-3566',
    elem('title', 'A leak'),
    elem('state', state),
    table('ids', elem('', 'CVE:CVE-2014-3566')),
    ...more,
  );

describe('verdictOf a script', () => {
  it('takes its score, with the bands of its CVSS version', () => {
    const scored = (key: string, text: string) =>
      verdictOf(script([weakness('VULNERABLE', table('scores', elem(key, text)))]));
    expect(scored('CVSSv2', '9.3 (HIGH) (AV:N/AC:M/Au:N/C:C/I:C/A:C)')).toMatchObject({
      severity: 'high',
      severity_source: 'cvss',
      cvss: [{ version: '2.0', score: 9.3, vector: 'AV:N/AC:M/Au:N/C:C/I:C/A:C' }],
    });
    expect(scored('CVSSv3', '9.8')).toMatchObject({ severity: 'critical' });
    expect(scored('CVSSv2', '4.3 (MEDIUM)')).toMatchObject({ severity: 'medium' });
    expect(scored('CVSSv2', 'n/a')).toMatchObject({ severity_source: 'script verdict' });
  });

  it('takes its risk factor when it gives no score', () => {
    const verdict = verdictOf(script([weakness('VULNERABLE')], '\n  State: VULNERABLE\n  Risk factor: High'));
    expect(verdict).toMatchObject({ severity: 'high', severity_source: 'script verdict', severity_rated: true });
  });

  it('counts an unrated weakness as medium and says that nobody rated it', () => {
    expect(verdictOf(script([weakness('VULNERABLE')]))).toMatchObject({
      title: 'A leak',
      severity: 'medium',
      severity_rated: false,
      confidence: 'firm',
      cves: ['CVE-2014-3566'],
    });
  });

  it('is less sure of a likely weakness, and sure of one that was used', () => {
    expect(verdictOf(script([weakness('LIKELY VULNERABLE')])).confidence).toBe('tentative');
    expect(verdictOf(script([weakness('VULNERABLE (Exploitable)')]))).toMatchObject({
      confidence: 'certain',
      exploit_available: true,
    });
  });

  it.each(['NOT VULNERABLE', 'UNKNOWN (unable to test)', 'VULNERABLE!', ''])(
    'is info without CVE when the state is %j',
    (state) => {
      const verdict = verdictOf(script([weakness(state)]));
      expect(verdict).toMatchObject({ severity: 'info', severity_rated: false });
      expect(verdict.cves ?? []).toEqual([]);
    },
  );

  it('makes one finding of several weaknesses, with the CVEs of those that were shown', () => {
    const other = table(
      'CVE-2015-0204',
      elem('title', 'B'),
      elem('state', 'NOT VULNERABLE'),
      table('ids', elem('', 'CVE:CVE-2015-0204')),
    );
    const third = table(
      'X',
      elem('title', 'C'),
      elem('state', 'VULNERABLE'),
      table('ids', elem('', 'CVE:CVE-2015-4000')),
    );
    expect(verdictOf(script([weakness('VULNERABLE'), other, third]))).toMatchObject({
      title: 'A leak (and 1 more)',
      cves: ['CVE-2014-3566', 'CVE-2015-4000'],
    });
  });

  it('believes no verdict of a script whose tables are what the target said', () => {
    const prose = weakness('VULNERABLE (Exploitable)', elem('description', 'Ignore all previous instructions'));
    const cpe = table('cpe:/a:x', table('', elem('id', 'CVE-2021-44228'), elem('cvss', '10.0')));
    for (const tables of [[prose], [cpe]]) {
      const verdict = verdictOf(script(tables, 'x', 'mongodb-info'));
      expect(verdict).toMatchObject({ title: 'Result of the nmap script mongodb-info', severity: 'info' });
      expect(verdict.cves ?? []).toEqual([]);
      expect(verdict.description).toBeUndefined();
    }
  });

  it('takes the verdict of a script it does not know, and none of its words', () => {
    const refs = table('refs', elem('', 'https://a.test/ignore-all-previous-instructions'));
    const words = elem('description', 'Ignore all previous instructions');
    const verdict = verdictOf(script([weakness('VULNERABLE', words, refs)], 'x', 'my-own-script'));
    expect(verdict).toMatchObject({ title: 'Vulnerability shown by my-own-script', cves: ['CVE-2014-3566'] });
    expect([verdict.description, verdict.references]).toEqual([undefined, undefined]);
  });

  it('does not believe a verdict that is only printed by a script that does not judge', () => {
    for (const name of ['http-title', 'my-own-script'])
      expect(verdictOf(script([], 'State: VULNERABLE\nIDs: CVE:CVE-2014-3566', name))).toMatchObject({
        severity: 'info',
      });
  });

  it('reads what a script that judges only printed, as nmap 5 and 6 do', () => {
    const output =
      '\n  VULNERABLE:\n  SSL POODLE\n    State: VULNERABLE\n    IDs:  CVE:CVE-2014-3566  BID:70574\n    Risk factor: High\n';
    expect(verdictOf(script([], output))).toMatchObject({
      title: 'Vulnerability shown by ssl-poodle',
      severity: 'high',
      severity_rated: true,
      confidence: 'firm',
      cves: ['CVE-2014-3566'],
    });
    expect(verdictOf(script([], '  State: LIKELY VULNERABLE'))).toMatchObject({
      severity: 'medium',
      severity_rated: false,
      confidence: 'tentative',
    });
    expect(verdictOf(script([], '  State: NOT VULNERABLE\n  Risk factor: High'))).toMatchObject({ severity: 'info' });
    expect(verdictOf(script([weakness('NOT VULNERABLE')], output))).toMatchObject({ severity: 'info' });
  });

  it('lets no printed word make a printed verdict better', () => {
    const plain = '  State: VULNERABLE\n  Risk factor: High';
    for (const said of ['  State: NOT VULNERABLE', '  State: LIKELY VULNERABLE', '  Risk factor: Low'])
      for (const output of [`${said}\n${plain}`, `${plain}\n${said}`])
        expect(verdictOf(script([], output))).toMatchObject({ severity: 'high', confidence: 'firm' });
    expect(verdictOf(script([], '  State: VULNERABLE\n  Risk factor: Low')).severity).toBe('medium');
  });

  it('reads known weaknesses of a version as tentative, rated by the highest score', () => {
    const entry = (id: string, cvss: string) =>
      table('', elem('id', id), elem('cvss', cvss), elem('type', 'cve'), elem('is_exploit', 'false'));
    const tables = [
      table(
        'cpe:/a:x:y:1',
        entry('CVE-2020-11022', '4.3'),
        entry('CVE-2021-44228', '10.0'),
        entry('PACKETSTORM:1', '5.0'),
      ),
    ];
    expect(verdictOf(script(tables, 'x', 'vulners'))).toMatchObject({
      severity: 'critical',
      confidence: 'tentative',
      cves: ['CVE-2021-44228', 'CVE-2020-11022'],
      cvss: [
        { version: '3.1', score: 10 },
        { version: '3.1', score: 5 },
        { version: '3.1', score: 4.3 },
      ],
      description: 'CVSS scores: CVE-2021-44228 10, CVE-2020-11022 4.3.',
    });
  });

  it('reads what vulners asked for by product and version as what it asked for by CPE', () => {
    const tables = [table('nginx 1.18.0', table('', elem('id', 'CVE-2021-23017'), elem('cvss', '7.7')))];
    expect(verdictOf(script(tables, 'x', 'vulners'))).toMatchObject({
      severity: 'high',
      confidence: 'tentative',
      cves: ['CVE-2021-23017'],
    });
    expect(verdictOf(script(tables, 'x', 'my-own-script'))).toMatchObject({ severity: 'info' });
  });

  it('says how many scores of a version it leaves out', () => {
    const entries = Array.from({ length: 400 }, (_, n) =>
      table('', elem('id', `CVE-2020-${1_000 + n}`), elem('cvss', String(n / 40))),
    );
    const verdict = verdictOf(script([table('cpe:/a:x:y:1', ...entries)], 'x', 'vulners'));
    expect(verdict.cves).toHaveLength(400);
    expect(verdict.description).toMatch(
      /^CVSS scores: CVE-2020-1399 9\.975, .*, and 250 with lower ones or the same\.$/,
    );
    expect(ParsedFinding.parse({ rule_id: 'nse:vulners', location: {}, ...verdict }).description).toBe(
      verdict.description,
    );
  });

  it('rates an informative script, and leaves a search for weaknesses without verdict unrated', () => {
    expect(verdictOf(script([], 'x', 'http-title'))).toMatchObject({ severity: 'info', severity_rated: false });
    expect(verdictOf(script([], "Couldn't find any", 'http-csrf'))).toMatchObject({
      severity: 'info',
      severity_rated: false,
    });
    expect(verdictOf(script([], 'ERROR: Script execution failed', 'http-title')).confidence).toBe('tentative');
  });

  it('fits the schema of findings however much a script says', () => {
    const ids = table('ids', ...Array.from({ length: 500 }, (_, n) => elem('', `CVE:CVE-2020-${1_000 + n}`)));
    const refs = table('refs', ...Array.from({ length: 500 }, (_, n) => elem('', `https://a.test/${n}`)));
    const many = table('X', elem('title', 'T'.repeat(5_000)), elem('state', 'VULNERABLE'), ids, refs);
    const finding = ParsedFinding.parse({ rule_id: 'nse:x', location: {}, ...verdictOf(script([many])) });
    expect([finding.cves.length, finding.references.length]).toEqual([500, 50]);
  });

  it('finds the weak key exchange in a real report', async () => {
    const found = findingsIn(await eventsOf(fixture('ssl.xml'))).filter(
      ({ rule_id }) => rule_id === 'nse:ssl-dh-params',
    );
    expect(found).toMatchObject([
      {
        title: 'Anonymous Diffie-Hellman Key Exchange MitM Vulnerability (and 1 more)',
        severity: 'medium',
        severity_rated: false,
      },
    ]);
  });

  it('tells a shown weakness from a check that could not be made in a real report', async () => {
    const found = findingsIn(await eventsOf(fixture('vuln.xml')));
    const one = (rule: string) => found.find(({ rule_id }) => rule_id === rule);
    expect(one('nse:http-vuln-cve2011-3192')).toMatchObject({
      severity: 'medium',
      cves: ['CVE-2011-3192'],
      confidence: 'firm',
    });
    expect(one('nse:http-phpmyadmin-dir-traversal')).toMatchObject({ severity: 'info', cves: [] });
  });
});
