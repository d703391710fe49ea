import { describe, expect, it } from 'vitest';
import { Found } from '../../src/model/contract/search.ts';
import type { ReportEvent, ReportScope } from '../../src/model/report.ts';
import { address, END, found, placed } from '../findings/reports.ts';
import { finishedScan, type Finished } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const [A, B] = ['10.0.0.1', '10.0.0.2'];

/** Scans in the order of their ends, whose scope is as given. */
function scansOf({ app, data }: Wire) {
  return async (
    hosts: readonly string[],
    scope: ReportScope,
    findings: readonly ReportEvent[],
    over: Finished = {},
  ) => {
    await new Promise((resolve) => setTimeout(resolve, 3));
    const events: ReportEvent[] = [{ kind: 'scope', scope }, ...hosts.map((name) => placed(name, 'tested'))];
    return finishedScan({ queue: app.queue, data }, [...events, ...findings, END], {
      targets: hosts.map((text) => address(text)),
      ...over,
    });
  };
}

const search = async ({ ok }: Wire, args: Record<string, unknown>) => Found.parse(await ok('search_findings', args));

describe('search_findings by text', () => {
  it('cannot tell of words that no check that is known has', async () => {
    const room = await wire();
    const scan = scansOf(room);
    const titled = found({ rule_id: 'a', rule_family: 'web', title: 'Old certificate', location: { ip: A } });
    await scan([A], { tcpPorts: 'all', families: ['*'] }, [titled]);
    for (const question of [{ text: 'Heartbleed' }, { text: 'Heartbleed', host: A }]) {
      const answer = await search(room, question);
      expect(answer).toMatchObject({ answer: 'cannot_tell', total: 0, hosts: { searched: 1, could_detect: 0 } });
      expect(answer.summary).toContain('No engine that was used is known to have a check for it');
    }
    await scan([B], { tcpPorts: 'all', families: ['*'] }, []);
    expect(await search(room, { text: 'certificate', host: B })).toMatchObject({ answer: 'not_found' });
  });
});
