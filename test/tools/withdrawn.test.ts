import { describe, expect, it } from 'vitest';
import { isWithdrawn } from '../../src/model/report-state.ts';
import { END, found } from '../findings/reports.ts';
import { finishedScan } from './finished-scan.ts';
import { wire } from './wire.ts';

const result = (rule: string, over = {}) => ({
  ruleId: rule,
  message: { text: rule },
  locations: [{ physicalLocation: { artifactLocation: { uri: `${rule}.c` } } }],
  ...over,
});

const SARIF = JSON.stringify({
  version: '2.1.0',
  runs: [
    {
      tool: { driver: { name: 'lint' } },
      results: [
        result('gone', { baselineState: 'absent' }),
        result('waived', { suppressions: [{ kind: 'external', status: 'accepted' }] }),
        result('asked', { suppressions: [{ kind: 'external', status: 'underReview' }] }),
        result('plain'),
      ],
    },
  ],
});

const ZAP = JSON.stringify({
  '@programName': 'ZAP',
  '@version': '2.15.0',
  site: [
    {
      '@name': 'http://127.0.0.1',
      '@host': '127.0.0.1',
      '@port': '80',
      '@ssl': 'false',
      alerts: [
        { pluginid: '1', alert: 'Wrong', name: 'Wrong', riskcode: '2', confidence: '0', instances: [] },
        { pluginid: '2', alert: 'Right', name: 'Right', riskcode: '2', confidence: '2', instances: [] },
      ],
    },
  ],
});

const OPENVAS = `<report id="r" type="scan"><gmp><version>22.4</version></gmp><results>
<result id="a"><name>Wrong</name><host>127.0.0.1</host><port>80/tcp</port><nvt oid="1.2.3"><name>Wrong</name></nvt>
<threat>False Positive</threat><severity>-1.0</severity><original_threat>High</original_threat>
<original_severity>7.5</original_severity></result>
<result id="b"><name>Right</name><host>127.0.0.1</host><port>81/tcp</port><nvt oid="1.2.4"><name>Right</name></nvt>
<threat>High</threat><severity>7.5</severity></result></results></report>`;

describe('what a report itself takes back', () => {
  it.each([
    ['sarif', SARIF, 2, 4],
    ['zap', ZAP, 1, 2],
    ['openvas', OPENVAS, 1, 2],
  ])('is counted by import_report and get_scan_results: %s', async (format, content, withdrawn, total) => {
    const { ok } = await wire();
    const told = expect.stringContaining(`The report itself withdrew ${withdrawn} of all its findings`);
    const imported = await ok('import_report', { content, format });
    expect(imported).toMatchObject({ total, summary: told });
    expect((await ok('import_report', { content, format }))['summary']).toEqual(told);
    for (const detail of ['minimal', 'brief', 'summary', 'full']) {
      const answer = await ok('get_scan_results', { scan_id: imported['scan_id'], detail });
      expect(answer).toMatchObject({ total, summary: told });
      const states = JSON.stringify(answer['findings']).match(/"report_state":"[^"]+"/g) ?? [];
      expect(states.length).toBeGreaterThanOrEqual(withdrawn);
    }
  });

  it('is not spoken of where there is none', async () => {
    const { app, data, ok } = await wire();
    const scanId = await finishedScan({ queue: app.queue, data }, [found({ report_state: 'baseline: new' }), END]);
    expect((await ok('get_scan_results', { scan_id: scanId }))['summary']).not.toContain('withdrew');
  });

  it.each([
    ['suppressed (inSource): known', true],
    ['baseline: absent', true],
    ['suppressed (external); baseline: unchanged', true],
    ['suppression underReview (external); baseline: absent', true],
    ['suppression rejected (external): suppressed (it is not)', false],
    ['baseline: absentee', false],
    ['status: will_not_fix', false],
    [undefined, false],
  ])('is known by its words: %s', (state, expected) => {
    expect(isWithdrawn(state)).toBe(expected);
  });
});

describe('a finding without a place', () => {
  it.each(['minimal', 'brief', 'full'])('has no empty one: %s', async (detail) => {
    const { app, data, ok } = await wire();
    const scanId = await finishedScan({ queue: app.queue, data }, [found({ location: {} }), END]);
    const { findings } = await ok('get_scan_results', { scan_id: scanId, detail });
    expect(JSON.stringify(findings)).not.toContain('"place":""');
  });
});
