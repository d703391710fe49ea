import { REPORTS } from './real-files.ts';
import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ReportEvent } from '../../src/model/report.ts';
import { parseNmap } from '../../src/scanners/nmap/parse.ts';

/** Reports of other projects lie beside the repository and are never copied into it. */
const FOLDER = join(REPORTS, 'nmap');
const reports = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.xml')) : [];

/** What a report holds, counted by looking for text instead of parsing. */
function counted(text: string) {
  const hosts = [...text.matchAll(/<host[ >][\s\S]*?<\/host>/g)].map(([host]) => host);
  const all = (pattern: RegExp) => hosts.flatMap((host) => [...host.matchAll(pattern)].map(([, found]) => found));
  return {
    addresses: all(/<address addr="([^"]+)" addrtype="ipv[46]"/g),
    names: all(/<hostname name="([^"]+)" type="user"/g),
    openPorts: all(/portid="(\d+)"[^>]*><state state="open"/g).map(Number),
    scripts: all(/<script id="([^"]+)"/g).map((id) => `nse:${id}`),
    described: all(/<service name="[^"]*"[^>]*? (product|version|extrainfo|hostname)="/g).length,
    success: text.includes('exit="success"'),
  };
}

async function eventsOf(file: string): Promise<ReportEvent[]> {
  const events: ReportEvent[] = [];
  for await (const event of parseNmap(createReadStream(file))) events.push(event);
  return events;
}

describe('nmap reports of other projects', () => {
  if (reports.length === 0) {
    it(`are not on this machine (${FOLDER}), so nothing was compared`, () => {
      expect(existsSync(FOLDER)).toBe(false);
    });
  }

  for (const name of reports.filter((report) => !report.includes('defused'))) {
    it(`${name}: every host, open port and script result is there`, async () => {
      const file = join(FOLDER, name);
      const expected = counted(readFileSync(file, 'utf8'));
      const events = await eventsOf(file);
      const findings = events.flatMap((event) => (event.kind === 'finding' ? [event.finding] : []));
      const places = events.flatMap((event) => (event.kind === 'place' ? [event.place] : []));
      const open = findings.filter(({ rule_id }) => rule_id === 'nmap:port-open');
      const scripts = findings.filter(({ rule_id }) => rule_id !== 'nmap:port-open');
      expect(places.map(({ place }) => place)).toEqual(expected.addresses);
      // Each of them had a port that answered open or closed.
      expect(places.map(({ status }) => status)).toEqual(expected.addresses.map(() => 'tested'));
      expect(open.map(({ location }) => location.port)).toEqual(expected.openPorts);
      expect(scripts.map(({ rule_id }) => rule_id)).toEqual(expected.scripts);
      expect(open.filter(({ untrusted }) => untrusted.banner).length).toBe(expected.described);
      const hosts = [...new Set(findings.map(({ location }) => location.host))].filter((host) => host !== undefined);
      expect(hosts).toEqual(findings.length > 0 ? expected.names : []);
      expect(events.at(-1)?.kind === 'end').toBe(expected.success);
    });
  }

  for (const name of reports.filter((report) => report.includes('defused'))) {
    it(`${name}: is refused`, async () => {
      await expect(eventsOf(join(FOLDER, name))).rejects.toMatchObject({ code: 'report_unreadable' });
    });
  }
});
