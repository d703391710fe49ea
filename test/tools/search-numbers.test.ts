import { describe, expect, it } from 'vitest';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Found } from '../../src/model/contract/search.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan, type Finished } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const [A, B] = ['10.0.0.1', '10.0.0.2'];
const RAN = { kind: 'scope', scope: { tcpPorts: 'all', families: ['web'] } } as const;
const at = (ip: string, port = 80) =>
  found({ rule_id: 'weak', rule_family: 'web', severity: 'critical', location: { ip, port, protocol: 'tcp' } });
const inFile = (file: string) => found({ rule_id: 'secret', severity: 'critical', location: { file, line: 1 } });

function scansOf({ app, data }: Wire) {
  return async (places: readonly string[], findings: readonly ReportEvent[], over: Finished = {}): Promise<string> => {
    await new Promise((resolve) => setTimeout(resolve, 3));
    const events = [RAN, ...places.map((name) => placed(name, 'tested')), ...findings, END];
    return finishedScan({ queue: app.queue, data }, events, {
      targets: places.map((text) => address(text)),
      ...over,
    });
  };
}

const code: Finished = { engine: 'sarif', request: { targets: ['repo'] }, targets: [] };
const search = async ({ ok }: Wire, args: Record<string, unknown>) => Found.parse(await ok('search_findings', args));

describe('numbers of search_findings', () => {
  it.each([true, false])(
    'has no more places with findings than were searched (latest_only %s)',
    async (latest_only) => {
      const room = await wire();
      const scan = scansOf(room);
      await scan([], [inFile('a.ts'), inFile('b.ts'), inFile('c.ts')], code);
      await scan(['shop:v1'], [inFile('bin/x'), inFile('bin/y')], {
        engine: 'trivy',
        request: { targets: ['shop:v1'] },
      });
      const answer = await search(room, { latest_only });
      expect(answer.hosts.searched).toBe(2);
      expect(answer.summary).toContain('Found: 5 findings on 2 places, in 2 of 2 scans searched (2 places).');
      await scan([A, B], [at('10.0.0.3')]);
      expect((await search(room, { latest_only })).summary).toContain(
        'on 3 places, in 3 of 3 scans searched (5 places)',
      );
    },
  );

  it('counts what was not looked at apart from what was searched', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const first = await scan([B, '10.0.0.3', '10.0.0.4'], []);
    const { finishedAt = 0 } = (await room.app.queue.get('local', first)) ?? {};
    await scan([A], [at(A)]);
    await scan(['10.0.0.5'], [], { engine: 'openvas' });
    const answer = await search(room, { rule_id: 'weak', finished_after: new Date(finishedAt).toISOString() });
    expect(answer.hosts).toMatchObject({ searched: 2, could_detect: 1 });
    expect(answer.summary).toContain('(2 hosts). On 1 of these it is not proven that a check for it ran.');
    expect(answer.summary).toContain('3 more hosts were not looked at since finished_after.');
    const none = await search(room, { rule_id: 'none', finished_after: new Date(finishedAt).toISOString() });
    expect(none.summary).toContain('3 more hosts were not looked at since finished_after.');
  });

  it('searches no scans that have nothing to do with the host', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([], [inFile('a.ts')], code);
    await scan([B], [at(B)]);
    const first = await scan([A], [at(A)]);
    const second = await scan([A], [at(A)]);
    const answer = await search(room, { host: A, latest_only: false });
    expect(answer.scans.map(({ scan_id: id }) => id)).toEqual([second, first]);
    expect(answer.summary).toContain('2 findings on 1 host, in 2 of 2 scans searched (1 host)');
  });

  it('counts a scan that cannot be read once, whatever it may hold', async () => {
    const room = await wire();
    const scan = scansOf(room);
    await scan([A], []);
    await scan([B], [at(B)]);
    const damaged = await scan([B], []);
    const { result } = (await room.app.queue.get('local', damaged)) ?? {};
    writeFileSync(join(room.data, 'scans', damaged, result?.artefacts[0]?.path ?? ''), 'no database');
    const answer = await search(room, { rule_id: 'weak', host: A, latest_only: false });
    expect(answer).toMatchObject({ answer: 'cannot_tell' });
    expect(answer.summary).toContain('1 scan could not be read');
  });
});
