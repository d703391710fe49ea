import { REPORTS as FOLDER } from './real-files.ts';
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { grypeFormat } from '../../src/scanners/grype/parse.ts';
import { nucleiFormat } from '../../src/scanners/nuclei/parse.ts';
import { HEAD_BYTES } from '../../src/scanners/report-format.ts';
import { sarifFormat } from '../../src/scanners/sarif/parse.ts';
import { trivyFormat } from '../../src/scanners/trivy/parse.ts';
import { zapJsonFormat } from '../../src/scanners/zap/json.ts';
import { inPieces, read } from '../scanners/report-events.ts';

/** Reports of other projects lie beside the repository and are never copied into it. */
const FORMATS = {
  nuclei: nucleiFormat,
  trivy: trivyFormat,
  grype: grypeFormat,
  sarif: sarifFormat,
  zap: zapJsonFormat,
};
type Engine = keyof typeof FORMATS;
const ENGINES = ['nuclei', 'trivy', 'grype', 'sarif', 'zap'] as const satisfies readonly Engine[];
const filesOf = (folder: string): string[] =>
  existsSync(join(FOLDER, folder)) ? readdirSync(join(FOLDER, folder)).map((name) => join(folder, name)) : [];
const isXml = (file: string): boolean => file.endsWith('.xml');
const REPORTS = ENGINES.flatMap((engine) =>
  filesOf(engine)
    .filter((file) => !isXml(file))
    .map((file) => ({ engine, file })),
);

/** Findings and severity words of a report, counted in the parsed document without any of the parsers. */
interface Counted {
  readonly findings: number;
  readonly severities: readonly string[];
}

/** Whatever stands there; a text is taken with `String`. */
interface Loose {
  readonly [key: string]: Loose;
}
const list = (value: unknown): Loose[] => (Array.isArray(value) ? value : []);
const parsed = (text: string): Loose => JSON.parse(text);
const word = (value: unknown): string => String(value).toLowerCase();

const COUNTERS: Record<Engine, (text: string) => Counted> = {
  nuclei(text) {
    const results = text.startsWith('[') ? list(parsed(text)) : text.split('\n').filter(Boolean).map(parsed);
    return { findings: results.length, severities: results.map(({ info }) => word(info?.['severity'])) };
  },
  trivy(text) {
    const items = list(parsed(text)['Results']).flatMap((result) => [
      ...list(result['Vulnerabilities']),
      ...list(result['Misconfigurations']).filter((check) => word(check['Status']) === 'fail'),
      ...list(result['Secrets']),
      ...list(result['Licenses']),
    ]);
    return { findings: items.length, severities: items.map((item) => word(item['Severity'])) };
  },
  grype(text) {
    const matches = list(parsed(text)['matches']);
    return { findings: matches.length, severities: matches.map((match) => word(match['vulnerability']?.['severity'])) };
  },
  sarif(text) {
    const words: Record<string, string> = { error: 'high', warning: 'medium', note: 'low', none: 'info' };
    const results = list(parsed(text)['runs']).flatMap((run) => list(run['results']));
    return { findings: results.length, severities: results.map((result) => words[word(result['level'])] ?? 'medium') };
  },
  zap(text) {
    const words = ['info', 'low', 'medium', 'high'];
    const alerts = list(parsed(text)['site']).flatMap((site) => list(site['alerts']));
    const severities = alerts.flatMap((alert) => {
      const count = Math.max(1, list(alert['instances']).length);
      return Array.from({ length: count }, () => words[Number(alert['riskcode'])] ?? '?');
    });
    return { findings: severities.length, severities };
  },
};

const tally = (words: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const word of words.toSorted()) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
};

describe('JSON reports of other projects', () => {
  if (REPORTS.length === 0) {
    it(`are not on this machine (${FOLDER}), so nothing was compared`, () => {
      expect(existsSync(FOLDER)).toBe(false);
    });
    return;
  }

  it('hold as many findings, of the same severities, as their items are counted', async () => {
    const table: object[] = [];
    for (const { engine, file } of REPORTS) {
      const path = join(FOLDER, file);
      const { findings, error } = await read(FORMATS[engine], createReadStream(path));
      const expected = COUNTERS[engine](readFileSync(path, 'utf8'));
      const severities = tally(findings.map(({ severity }) => severity));
      table.push({ file, expected: expected.findings, parsed: findings.length, ...severities });
      expect({ file, error, findings: findings.length, severities }).toEqual({
        file,
        error: undefined,
        findings: expected.findings,
        severities: tally(expected.severities),
      });
    }
    console.table(table);
    expect(table.length).toBeGreaterThan(8);
  });

  it('are the same, byte by byte, however their bytes arrive', async () => {
    for (const { engine, file } of REPORTS) {
      if (statSync(join(FOLDER, file)).size > 100_000) continue;
      const bytes = readFileSync(join(FOLDER, file));
      const whole = await read(FORMATS[engine], inPieces(bytes));
      const split = await read(FORMATS[engine], inPieces(bytes, 13));
      expect(split).toEqual(whole);
    }
  });

  it('give each finding a rule, a title and a place', async () => {
    for (const { engine, file } of REPORTS) {
      const { findings } = await read(FORMATS[engine], createReadStream(join(FOLDER, file)));
      for (const { rule_id, title, location } of findings) {
        expect(rule_id.length).toBeGreaterThan(0);
        expect(title.length).toBeGreaterThan(0);
        expect(Object.keys(location).length).toBeGreaterThan(0);
      }
    }
  });

  it('are told by their beginning, and nothing else in any folder is taken for one of them', () => {
    const known = new Map<string, string>(REPORTS.map(({ engine, file }) => [file, engine]));
    const seen: string[] = [];
    for (const folder of readdirSync(FOLDER).filter((name) => statSync(join(FOLDER, name)).isDirectory())) {
      for (const file of filesOf(folder)) {
        const head = readFileSync(join(FOLDER, file)).subarray(0, HEAD_BYTES);
        const formats = ENGINES.filter((engine) => FORMATS[engine].detect(head));
        // Nothing and an empty list are what several tools write when they found nothing.
        const isNothing = head.length === 0 || head.toString().trim() === '[]';
        const expected = known.get(file);
        expect({ file, formats }).toEqual({ file, formats: expected === undefined || isNothing ? [] : [expected] });
        seen.push(file);
      }
    }
    expect(seen.length).toBeGreaterThan(40);
  });

  it('keep what is whole when they are cut anywhere, and say that they are cut', async () => {
    for (const { engine, file } of REPORTS) {
      const bytes = readFileSync(join(FOLDER, file));
      if (bytes.length < 10) continue;
      const whole = await read(FORMATS[engine], inPieces(bytes));
      for (let step = 1; step < 12; step += 1) {
        const length = Math.floor((bytes.length * step) / 12.3);
        const cut = await read(FORMATS[engine], inPieces(bytes.subarray(0, length)));
        expect(cut.findings.length).toBeLessThanOrEqual(whole.findings.length);
        const isBetweenLines = bytes[length - 1] === 0x0a || bytes[length] === 0x0a;
        expect({ file, length, isCut: cut.error !== undefined || isBetweenLines }).toEqual({
          file,
          length,
          isCut: true,
        });
        expect(cut.events.some(({ kind }) => kind === 'end')).toBe(false);
      }
    }
  });

  it('with a wrong byte are read or refused, nothing else', async () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7f_ff_ff_ff;
      return seed % below;
    };
    for (const { engine, file } of REPORTS) {
      const original = readFileSync(join(FOLDER, file)).subarray(0, 60_000);
      if (original.length === 0) continue;
      for (let round = 0; round < 25; round += 1) {
        const bytes = Buffer.from(original);
        for (let change = 0; change <= round % 3; change += 1) bytes[random(bytes.length)] = random(256);
        const { findings } = await read(FORMATS[engine], inPieces(bytes, 4_096));
        expect(findings.length).toBeLessThan(1_000);
      }
    }
  });
});
