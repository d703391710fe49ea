import { describe, expect, it } from 'vitest';
import { packageUrl } from '../../src/findings/exports/purl.ts';
import { grypeFormat } from '../../src/scanners/grype/parse.ts';
import { nucleiFormat } from '../../src/scanners/nuclei/parse.ts';
import { openvasFormat } from '../../src/scanners/openvas/format.ts';
import { sarifFormat } from '../../src/scanners/sarif/parse.ts';
import { trivyFormat } from '../../src/scanners/trivy/parse.ts';
import { zapJsonFormat } from '../../src/scanners/zap/json.ts';
import { zapXmlFormat } from '../../src/scanners/zap/xml.ts';
import { findingOf } from './report-events.ts';

const WORDS = Object.getOwnPropertyNames(Object.prototype);
const UNRATED = { severity: 'medium', severity_rated: false };

describe('a word that every object knows', () => {
  it.each(WORDS)('%s is no severity', async (word) => {
    const sarif = (result: object) => ({
      version: '2.1.0',
      runs: [
        {
          tool: { driver: { name: 't', rules: [{ id: 'a', properties: { precision: word } }] } },
          results: [{ ruleId: 'a', ...result }],
        },
      ],
    });
    const reports = [
      [sarifFormat, sarif({ level: word })],
      [nucleiFormat, { 'template-id': 'a', info: { severity: word } }],
      [trivyFormat, { SchemaVersion: 2, Results: [{ Target: 'a', Secrets: [{ RuleID: 'a', Severity: word }] }] }],
      [grypeFormat, { matches: [{ vulnerability: { id: 'a', severity: word }, artifact: { name: 'a' } }] }],
      [zapJsonFormat, { site: [{ '@name': 'a', alerts: [{ alert: 'a', riskcode: word, confidence: word }] }] }],
    ] as const;
    for (const [format, report] of reports) expect(await findingOf(format, report)).toMatchObject(UNRATED);
  });

  it.each(WORDS.filter((word) => /^[a-z]/i.test(word)))('%s may be the name of an element', async (word) => {
    const odd = `<${word}>x</${word}>`;
    const openvas = `<report>${odd}<gmp/><scan_run_status>Done</scan_run_status><results><result>${odd}<name>n</name><severity>5.0</severity></result>${odd}</results></report>`;
    expect(await findingOf(openvasFormat, openvas)).toMatchObject({ severity: 'medium', severity_rated: true });
    const instance = `<instance><uri>http://a.test/</uri>${odd}</instance>`;
    const zap = `<OWASPZAPReport><site name="http://a.test">${odd}<alerts><alertitem><alert>a</alert>${odd}<riskcode>2</riskcode><instances>${instance}</instances></alertitem></alerts></site></OWASPZAPReport>`;
    expect(await findingOf(zapXmlFormat, zap)).toMatchObject({ severity: 'medium', severity_rated: true });
  });

  it.each(WORDS)('%s is no kind of package', (word) => {
    expect(packageUrl({ package: 'a' }, word)).toBe('pkg:generic/a');
  });
});
