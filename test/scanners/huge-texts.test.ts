import { describe, expect, it } from 'vitest';
import { grypeFormat } from '../../src/scanners/grype/parse.ts';
import { nucleiFormat } from '../../src/scanners/nuclei/parse.ts';
import { sarifFormat } from '../../src/scanners/sarif/parse.ts';
import { trivyFormat } from '../../src/scanners/trivy/parse.ts';
import { zapJsonFormat } from '../../src/scanners/zap/json.ts';
import { inPieces, read } from './report-events.ts';

/** Patterns use up the stack, or take quadratic time, on texts like these when nothing cuts them first. */
const UNITS = ['a', 'key', '- \n', '://a', 'A1'];

describe('texts of megabytes', () => {
  it.each(UNITS)('of %j in any field are read', async (unit) => {
    const text = unit.repeat(Math.floor(1_500_000 / unit.length));
    const reports = [
      [nucleiFormat, { 'template-id': 'a', 'matched-at': `http://${text}`, info: { tags: text, reference: text } }],
      [
        trivyFormat,
        { SchemaVersion: 2, ArtifactName: text, Results: [{ Target: text, Secrets: [{ RuleID: 'a', Match: text }] }] },
      ],
      [grypeFormat, { matches: [{ vulnerability: { id: text, description: text }, artifact: { name: text } }] }],
      [
        zapJsonFormat,
        {
          site: [
            { '@name': text, alerts: [{ alert: 'a', desc: text, instances: [{ uri: text, 'request-header': text }] }] },
          ],
        },
      ],
      [
        sarifFormat,
        {
          runs: [
            {
              tool: { driver: { name: 'gitleaks', rules: [{ id: text }] } },
              results: [{ ruleId: text, message: { text } }],
            },
          ],
        },
      ],
    ] as const;
    for (const [format, report] of reports) {
      const { findings, error } = await read(format, inPieces(`${JSON.stringify(report)}\n`));
      expect({ format: format.name, error, findings: findings.length }).toEqual({
        format: format.name,
        error: undefined,
        findings: 1,
      });
    }
  });
});
