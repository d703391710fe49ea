import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import type { PlaceStatus } from '../../src/model/coverage.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan } from './finished-scan.ts';
import { wire } from './wire.ts';

const HOSTS = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;

interface Told {
  readonly engine: string;
  readonly hosts: readonly { readonly host: string; readonly status: PlaceStatus; readonly ports: readonly number[] }[];
  /** Says that the check ran everywhere. */
  readonly ran: boolean;
}

const told: fc.Arbitrary<Told> = fc.record({
  engine: fc.constantFrom('nessus', 'openvas'),
  hosts: fc
    .tuple(
      ...HOSTS.map((host) =>
        fc.record({
          host: fc.constant(host),
          status: fc.constantFrom<PlaceStatus>('tested', 'tested', 'partial', 'unreachable'),
          ports: fc.subarray([22, 80, 443], { maxLength: 2 }),
        }),
      ),
    )
    .chain((all) => fc.subarray(all, { minLength: 1 })),
  ran: fc.boolean(),
});

const looked = (status: PlaceStatus): boolean => status === 'tested' || status === 'partial';

/** Of each engine at each host the newest scan that looked there; scans in the order of their ends. */
function newest(scans: readonly Told[]): Map<string, Told> {
  const found = new Map<string, Told>();
  for (const scan of scans)
    for (const { host, status } of scan.hosts) if (looked(status)) found.set(`${scan.engine} ${host}`, scan);
  return found;
}

const at = (scan: Told | undefined, host: string) => scan?.hosts.find((one) => one.host === host);

describe('search_findings', () => {
  it('counts and judges as plain reading of the newest reports does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(told, { minLength: 1, maxLength: 5 }), async (scans) => {
        const { app, data, ok } = await wire();
        for (const { engine, hosts, ran } of scans) {
          await new Promise((resolve) => setTimeout(resolve, 3));
          const findings = hosts.flatMap(({ host, status, ports }) =>
            (looked(status) ? ports : []).map((port) =>
              found({ rule_id: 'weak', rule_family: 'web', location: { ip: host, port, protocol: 'tcp' } }),
            ),
          );
          const scope = { kind: 'scope', scope: { tcpPorts: 'all', families: ['web'] } } as const;
          const events = [
            ...(ran ? [scope] : []),
            ...hosts.map(({ host, status }) => placed(host, status)),
            ...findings,
            END,
          ];
          await finishedScan({ queue: app.queue, data }, events, {
            engine,
            targets: hosts.map(({ host }) => address(host)),
          });
        }
        const latest = newest(scans);
        const counts = HOSTS.map((host) =>
          ['nessus', 'openvas'].reduce(
            (sum, engine) => sum + (at(latest.get(`${engine} ${host}`), host)?.ports.length ?? 0),
            0,
          ),
        );
        const total = counts.reduce((sum, n) => sum + n, 0);
        const seen = new Set(
          scans.flatMap(({ engine, hosts }) =>
            hosts.some(({ status, ports }) => looked(status) && ports.length > 0) ? [engine] : [],
          ),
        );
        const couldSee = (host: string): boolean =>
          ['nessus', 'openvas'].some((engine) => {
            const scan = latest.get(`${engine} ${host}`);
            return seen.has(engine) && scan?.ran === true && at(scan, host)?.status === 'tested';
          });
        const asked = HOSTS.filter((host) => scans.some((scan) => at(scan, host) !== undefined));
        const answer = Found.parse(await ok('search_findings', { rule_id: 'weak', max_tokens: 20_000 }));
        expect(answer.total).toBe(total);
        expect(answer.findings).toHaveLength(total);
        expect(answer.answer).toBe(total > 0 ? 'found' : asked.every(couldSee) ? 'not_found' : 'cannot_tell');
        expect(answer.hosts.searched).toBe(
          HOSTS.filter((host) => [...latest.keys()].some((key) => key.endsWith(host))).length,
        );
      }),
      { numRuns: 8 },
    );
  });
});
