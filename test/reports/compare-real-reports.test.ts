import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { ReportEvent } from '../../src/model/report.ts';
import { nessusFormat } from '../../src/scanners/nessus/format.ts';
import { nmapFormat } from '../../src/scanners/nmap/format.ts';
import type { ReportFormat } from '../../src/scanners/report-format.ts';
import { comparing } from '../findings/compared.ts';
import { contentOf, realFiles, sayWhetherThere } from './real-files.ts';

async function eventsOf(format: ReportFormat, text: string): Promise<ReportEvent[]> {
  const events: ReportEvent[] = [];
  for await (const event of format.parse(Readable.from([Buffer.from(text)]))) events.push(event);
  return events;
}

/** What became of each finding but those that persist, as `change rule port`. */
async function changes(format: ReportFormat, engine: string, head: string, base: string): Promise<string[]> {
  const { scan, compare } = await comparing();
  const told = async (text: string) => scan({ events: await eventsOf(format, text), targets: 'as_reported', engine });
  const { findings } = await compare(await told(head), await told(base), { max_tokens: 1_000_000 });
  return findings
    .filter(({ change }) => change !== 'persisting')
    .map(({ change, rule_id: rule, place }) => `${String(change)} ${String(rule)} ${String(place)}`)
    .toSorted();
}

const itemOf = (text: string, plugin: string): string => {
  const found = [...text.matchAll(/<ReportItem [^>]*pluginID="(\d+)"[\s\S]*?<\/ReportItem>/g)];
  return found.find(([, id]) => id === plugin)?.[0] ?? '';
};

describe('a report of Nessus with the default list of ports, edited', () => {
  sayWhetherThere('nessus');
  const FILE = 'ruby-v3-155items.nessus';
  if (!realFiles('nessus').includes(FILE)) return;
  const report = contentOf('nessus', FILE).toString();

  it('shows what is gone from a port that still has findings as fixed, and the reverse as new', async () => {
    const less = report.replace(itemOf(report, '46882'), '');
    expect(less.length).toBeLessThan(report.length);
    expect(await changes(nessusFormat, 'nessus', less, report)).toEqual(['fixed nessus:46882 10.0.0.1:6667/tcp']);
    expect(await changes(nessusFormat, 'nessus', report, less)).toEqual(['new nessus:46882 10.0.0.1:6667/tcp']);
  });

  it('shows all that was at a port of the list as fixed when nothing is found at it any more', async () => {
    const less = report.replaceAll(/<ReportItem port="6667"[\s\S]*?<\/ReportItem>\s*/g, '');
    const found = await changes(nessusFormat, 'nessus', less, report);
    expect(found.length).toBeGreaterThan(2);
    expect(found.filter((one) => !one.startsWith('fixed '))).toEqual([]);
    // Of a list in other words nothing is known.
    const other = less.replace('<value>default</value>', '<value>1-1024</value>');
    const unproven = await changes(nessusFormat, 'nessus', other, report);
    expect(unproven.filter((one) => !one.startsWith('not_observed '))).toEqual([]);
  });
});

describe('a report of nmap, edited', () => {
  sayWhetherThere('nmap');
  const FILE = 'libnmap-dionaea_scan.xml';
  if (!realFiles('nmap').includes(FILE)) return;
  const report = contentOf('nmap', FILE).toString();
  const port21 = /<port protocol="tcp" portid="21">[\s\S]*?<\/port>/.exec(report)?.[0] ?? '';
  const become = (state: string): string =>
    report.replace(
      port21,
      `<port protocol="tcp" portid="21"><state state="${state}" reason="reset" reason_ttl="64"/><service name="ftp"/></port>`,
    );

  it('shows a port that is closed now as fixed, with all that scripts had found at it', async () => {
    const found = await changes(nmapFormat, 'nmap', become('closed'), report);
    expect(found.length).toBeGreaterThan(1);
    expect(found.filter((one) => !one.startsWith('fixed '))).toEqual([]);
  });

  it('does not call fixed what may hide behind a filter', async () => {
    const found = await changes(nmapFormat, 'nmap', become('filtered'), report);
    expect(found.filter((one) => !one.startsWith('not_observed '))).toEqual([]);
  });
});
