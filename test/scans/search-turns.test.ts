import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan } from '../tools/finished-scan.ts';
import { wire } from '../tools/wire.ts';

const PLACES = 20_000;
const addressOf = (n: number): string => `10.1.${n >> 8}.${n & 255}`;
const CVE = 'CVE-2021-44228';

/** Turns of the event loop that others get while something is waited for. */
async function turnsDuring<T>(work: () => Promise<T>): Promise<{ readonly turns: number; readonly result: T }> {
  let [turns, isOver] = [0, false];
  const tick = (): void => {
    turns += 1;
    if (!isOver) setImmediate(tick);
  };
  setImmediate(tick);
  const result = await work();
  isOver = true;
  return { turns, result };
}

describe('a search of many places', () => {
  it('gives the rest of the process its turns, whichever places are asked about', async () => {
    const { app, data, ok } = await wire();
    const addresses = Array.from({ length: PLACES }, (_, n) => addressOf(n));
    const events = [
      { kind: 'scope', scope: { tcpPorts: 'all', families: ['web'] } } as const,
      ...addresses.map((place) => placed(place, 'tested')),
      found({ rule_id: 'log4shell', rule_family: 'web', cves: [CVE], location: { ip: addressOf(7), port: 80 } }),
      END,
    ];
    await finishedScan({ queue: app.queue, data }, events, { targets: addresses.map((text) => address(text)) });
    const first = await turnsDuring(() => ok('search_findings', { cve: CVE }));
    expect(Found.parse(first.result)).toMatchObject({
      answer: 'found',
      total: 1,
      hosts: { searched: PLACES, could_detect: PLACES },
    });
    // Indexed, walked, asked, judged and counted in parts of at most 2,000.
    const least = (PLACES / 2_000) * 4;
    expect(first.turns).toBeGreaterThan(least);
    const network = await turnsDuring(() =>
      ok('search_findings', { rule_id: 'log4shell', target: '10.0.0.0/8', port: 1 }),
    );
    expect(Found.parse(network.result)).toMatchObject({ answer: 'cannot_tell', hosts: { searched: PLACES } });
    expect(network.turns).toBeGreaterThan(least);
    const absent = await ok('search_findings', { cve: CVE, port: 81 });
    expect(Found.parse(absent)).toMatchObject({ answer: 'not_found', hosts: { could_detect: PLACES } });
  }, 60_000);
});
