import { afterAll, describe, expect, it } from 'vitest';
import { nmapFormat } from '../../src/scanners/nmap/format.ts';
import { openvasFormat } from '../../src/scanners/openvas/format.ts';
import { zapXmlFormat } from '../../src/scanners/zap/xml.ts';
import { contentOf, histogram, readWith, realFiles, REPORTS } from './real-files.ts';

/** Numbers of findings by severity, as the file itself says them. */
type Counted = Readonly<Partial<Record<string, number>>>;

const texts = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found]) => found ?? '');
const tally = (severities: readonly string[]): Counted => {
  const counts: Record<string, number> = {};
  for (const severity of severities) counts[severity] = (counts[severity] ?? 0) + 1;
  return counts;
};

/** Counted by looking for text instead of parsing. */
function countOpenvas(text: string): Counted {
  const results = texts(text, /(<result id=[\s\S]*?<\/result>)/g);
  return tally(
    results.map((result) => {
      const score = Number(/<\/scan_nvt_version>[\s\S]*?<severity>([\d.]+)<\/severity>/.exec(result)?.[1]);
      return band(score);
    }),
  );
}

const RISKS = ['info', 'low', 'medium', 'high'];

function countZap(text: string): Counted {
  const alerts = texts(text, /<alertitem>([\s\S]*?)<\/alertitem>/g);
  return tally(
    alerts.flatMap((alert) => {
      const instances = texts(alert, /(<uri>)/g).length;
      const risk = RISKS[Number(/<riskcode>(\d)</.exec(alert)?.[1])] ?? 'unknown';
      return Array.from({ length: Math.max(1, instances) }, () => risk);
    }),
  );
}

const band = (score: number): string => {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'info';
};

/** A script's own verdict by its printed risk, or the highest score of the versions it knows; else it is info. */
function scriptSeverity(script: string): string {
  if (/<elem key="state">(LIKELY )?VULNERABLE/.test(script))
    return (/Risk factor: (\w+)/.exec(script)?.[1] ?? '').toLowerCase();
  return band(Math.max(0, ...texts(script, /<elem key="cvss">([\d.]+)</g).map(Number)));
}

function countNmap(text: string): Counted {
  const hosts = texts(text, /(<host[ >][\s\S]*?<\/host>)/g).join('');
  const open = texts(hosts, /portid="(\d+)"[^>]*><state state="open"/g).map(() => 'info');
  return tally([...open, ...hosts.split('<script ').slice(1).map(scriptSeverity)]);
}

const SUITES = [
  { folder: 'openvas', format: openvasFormat, ending: '.xml', count: countOpenvas },
  { folder: 'zap', format: zapXmlFormat, ending: '.xml', count: countZap },
  { folder: 'nmap', format: nmapFormat, ending: '.xml', count: countNmap },
];

const table: { file: string; expected: number; parsed: number; severities: string }[] = [];
afterAll(() => console.table(table));

describe('XML reports of other projects', () => {
  for (const { folder, format, ending, count } of SUITES) {
    const files = realFiles(folder).filter((file) => file.endsWith(ending) && !file.includes('defused'));
    if (files.length === 0) {
      it(`of ${folder} are not on this machine (${REPORTS}), so nothing was compared`, () => {
        expect(realFiles(folder)).toEqual([]);
      });
    }
    for (const file of files) {
      it(`${folder}/${file}: every item is a finding of its severity`, async () => {
        const expected = count(contentOf(folder, file).toString('utf8'));
        const { findings, error } = await readWith(format, folder, file);
        expect(error).toBeUndefined();
        expect(tally(findings.map(({ severity }) => severity))).toEqual(expected);
        const total = Object.values(expected).reduce((sum: number, number = 0) => sum + number, 0);
        table.push({ file, expected: total, parsed: findings.length, severities: histogram(findings) });
      });
    }
  }

  if (realFiles('openvas').includes('dd-many_vuln.xml'))
    it('openvas: ports and CVEs are those of the file', async () => {
      const text = contentOf('openvas', 'dd-many_vuln.xml').toString('utf8');
      const results = texts(text, /(<result id=[\s\S]*?<\/result>)/g);
      const { findings, events } = await readWith(openvasFormat, 'openvas', 'dd-many_vuln.xml');
      expect(findings.map(({ location }) => location.port)).toEqual(
        results.map((result) => {
          const port = Number(/<port>(\d+)\//.exec(result)?.[1]);
          return port > 0 ? port : undefined;
        }),
      );
      expect(findings.map(({ rule_id }) => rule_id)).toEqual(
        results.map((result) => /<nvt oid="([\d.]+)"/.exec(result)?.[1]),
      );
      expect(events.flatMap((event) => (event.kind === 'place' ? [event.place.status] : []))).toEqual(['tested']);
      expect(events.at(-1)?.kind).toBe('end');
    });
});
