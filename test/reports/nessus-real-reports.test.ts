import { REPORTS } from './real-files.ts';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReportEvent } from '../../src/model/report.ts';
import { nessusFormat } from '../../src/scanners/nessus/format.ts';

/** Reports of other projects lie beside the repository and are never copied into it. */
const FOLDER = join(REPORTS, 'nessus');
const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => /\.(?:nessus|xml)$/.test(name)) : [];
const whole = files.filter((name) => !name.startsWith('neg-'));

const LEVELS = ['info', 'low', 'medium', 'high', 'critical'] as const;

/** What a report holds, counted by looking for text instead of parsing. */
function counted(text: string) {
  const items = [...text.matchAll(/<ReportItem\s[\s\S]*?<\/ReportItem>/g)].map(([item]) => item);
  const number = (pattern: RegExp): number[] => items.map((item) => [...item.matchAll(pattern)].length);
  const attribute = (name: string): string[] =>
    items.map((item) => new RegExp(`\\s${name}="([^"]*)"`).exec(item)?.[1] ?? '');
  return {
    items: items.length,
    bySeverity: LEVELS.map((_, level) => attribute('severity').filter((text_) => text_ === String(level)).length),
    rules: attribute('pluginID').map((id) => `nessus:${id}`),
    ports: attribute('port').map(Number),
    cves: number(/<cve>/g),
    outputs: items.filter((item) => /<plugin_output>[^<]/.test(item)).length,
    vpr: items.map((item) => Number(/<vpr_score>([\d.]+)</.exec(item)?.[1] ?? Number.NaN)),
    hosts: [...text.matchAll(/<ReportHost name="([^"]*)"/g)].map(([, name]) => name),
    enabledFamilies: [...text.matchAll(/<FamilyName>[^<]*<\/FamilyName>\s*<Status>enabled</g)].length,
  };
}

async function eventsOf(name: string): Promise<ReportEvent[]> {
  const events: ReportEvent[] = [];
  for await (const event of nessusFormat.parse(createReadStream(join(FOLDER, name)))) events.push(event);
  return events;
}

const of = <Kind extends ReportEvent['kind']>(events: readonly ReportEvent[], kind: Kind) =>
  events.filter((event): event is Extract<ReportEvent, { kind: Kind }> => event.kind === kind);

describe('.nessus reports of other projects', () => {
  if (files.length === 0) {
    it(`are not on this machine (${FOLDER}), so nothing was compared`, () => {
      expect(existsSync(FOLDER)).toBe(false);
    });
  }

  for (const name of whole) {
    it(`${name}: every item is there, with its severity, port, CVEs and output`, async () => {
      const expected = counted(readFileSync(join(FOLDER, name), 'utf8'));
      const events = await eventsOf(name);
      const found = of(events, 'occurrence');
      const bySeverity = LEVELS.map((level) => found.filter(({ rule }) => rule.severity === level).length);
      console.log(
        `${name}: expected ${expected.items}, parsed ${found.length}; ${LEVELS.join('/')} ${bySeverity.join('/')}`,
      );
      expect(found.length).toBe(expected.items);
      expect(bySeverity).toEqual(expected.bySeverity);
      expect(found.map(({ rule }) => rule.rule_id)).toEqual(expected.rules);
      expect(found.map(({ occurrence }) => occurrence.location.port ?? 0)).toEqual(expected.ports);
      expect(found.map(({ rule }) => rule.cves.length)).toEqual(expected.cves);
      expect(found.map(({ rule }) => rule.vpr ?? Number.NaN)).toEqual(expected.vpr);
      expect(found.filter(({ occurrence }) => occurrence.untrusted.output !== undefined).length).toBe(expected.outputs);
      expect(of(events, 'place').map(({ place }) => place.place)).toEqual(expected.hosts);
      expect(of(events, 'place').map(({ place }) => place.status)).toEqual(expected.hosts.map(() => 'tested'));
      expect(of(events, 'scope').flatMap(({ scope }) => scope.families ?? []).length).toBe(expected.enabledFamilies);
      expect(events.at(-1)).toEqual({ kind: 'end' });
    });
  }

  for (const name of files.filter((file) => file.startsWith('neg-'))) {
    it(`${name}: is refused`, async () => {
      await expect(eventsOf(name)).rejects.toMatchObject({ code: 'report_unreadable' });
    });
  }

  /** Outcome of the login to each host, in files whose words about it were read by a person. */
  const LOGINS: readonly (readonly [string, readonly (string | undefined)[]])[] = [
    ['mitre-3hosts-mixed-cred.nessus', ['success', 'failed', 'failed']],
    ['dd-7hosts-5.2.1.xml', Array.from({ length: 7 }, () => undefined)],
  ];
  for (const [name, logins] of LOGINS.filter(([file]) => whole.includes(file))) {
    it(`${name}: says how far logins came`, async () => {
      const places = of(await eventsOf(name), 'place').map(({ place }) => place);
      expect(places.map(({ login }) => login)).toEqual(logins);
    });
  }

  it('are detected by their beginning, and no other report is', () => {
    const folder = join(FOLDER, '..');
    const engines = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
    for (const engine of engines.filter((entry) => entry.isDirectory())) {
      for (const name of readdirSync(join(folder, engine.name))) {
        const head = readFileSync(join(folder, engine.name, name)).subarray(0, 64 << 10);
        expect([name, nessusFormat.detect(head)]).toEqual([name, engine.name === 'nessus']);
      }
    }
  });
});
