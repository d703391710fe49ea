import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { RawReport, RemoteReports } from '../../../../src/scanners/scanner.ts';
import { openLab, type Lab } from './harness.ts';

const never = new AbortController().signal;
const DAY = 86_400_000;

let lab: Lab;
afterEach(async () => lab.close());

const remoteOf = (settings: Record<string, unknown>, tenant = 'local'): RemoteReports => {
  const remote = lab.another(settings).remote?.(tenant);
  if (!remote) throw new Error('no remote reports');
  return remote;
};

async function fetched(remote: RemoteReports, id: number | string): Promise<{ outcome: RawReport; report: string }> {
  const report = new PassThrough();
  const [outcome, written] = await Promise.all([remote.fetch(String(id), report, never), text(report)]);
  return { outcome, report: written };
}

describe('scans that people launched', () => {
  const scans = [
    { name: 'Büro ñ', folder: 'Open', status: 'completed' },
    { name: 'secret', folder: 'Closed', status: 'completed' },
    { name: 'aborted one', folder: 'Open', status: 'aborted' },
    { name: 'running one', folder: 'Open', status: 'running' },
    { name: 'never run', folder: 'Open', status: 'empty' },
  ];
  const idOf = (name: string): number => lab.sim.control.scans().find((scan) => scan.name === name)?.id ?? 0;

  for (const edition of ['manager', 'essentials', 'professional'] as const) {
    it(`are listed and fetched from opened folders only (${edition})`, async () => {
      lab = await openLab({ edition, folders: ['Open', 'Closed'], scans });
      const remote = remoteOf({ remote_folders: ['Open'] });
      const { scans: listed, trouble } = await remote.list(never);
      expect(trouble).toBeUndefined();
      expect(listed.filter(({ hasReport }) => hasReport).map(({ name }) => name)).toHaveLength(2);
      expect(listed.map(({ name }) => name).toSorted()).toEqual(['Büro ñ', 'aborted one', 'never run', 'running one']);
      expect(listed[0]).toMatchObject({ folder: 'Open', modifiedAt: expect.any(Number) });
      const { outcome, report } = await fetched(remote, idOf('Büro ñ'));
      expect(outcome).toEqual({ whole: true });
      expect(report).toContain('<ReportHost');
      expect(
        lab.sim.journal.entries().every(({ method, route }) => method === 'GET' || route === '/scans/{id}/export'),
      ).toBe(true);
    });
  }

  it('are those of the folders of the tenant, and of no other', async () => {
    lab = await openLab({
      folders: ['Open', 'Closed', 'Ours'],
      scans: [...scans, { name: 'ours', folder: 'Ours', status: 'completed' }],
    });
    const settings = {
      remote_folders: [
        'Open',
        { name: 'Closed', tenants: ['acme'] },
        { name: 'Ours', tenants: ['*'] },
        { name: 'Gone', tenants: ['lost'] },
      ],
    };
    const namesFor = async (tenant: string) =>
      (await remoteOf(settings, tenant).list(never)).scans.map(({ name }) => name).toSorted();
    expect(await namesFor('acme')).toEqual(['ours', 'secret']);
    expect(await namesFor('local')).toEqual(['Büro ñ', 'aborted one', 'never run', 'ours', 'running one']);
    expect(await namesFor('nobody')).toEqual(['ours']);
    await expect(
      remoteOf(settings, 'acme').fetch(String(idOf('Büro ñ')), new PassThrough().resume(), never),
    ).rejects.toMatchObject({ code: 'scan_not_found' });
    // What other folders are called is nothing to them.
    const { trouble } = await remoteOf(settings, 'lost').list(never);
    expect(trouble?.message).toContain('"Gone"');
    expect(trouble?.message).not.toMatch(/Open|Closed|Trash|My Scans/);
    expect(lab.another({ remote_folders: ['Open'] }).remote?.('acme')).toBeUndefined();
  });

  it('are not told from none in folders that are closed', async () => {
    lab = await openLab({ folders: ['Open', 'Closed'], scans });
    const remote = remoteOf({ remote_folders: ['Open'] });
    for (const id of [idOf('secret'), 999_999, '../../session', 'x']) {
      await expect(remote.fetch(String(id), new PassThrough().resume(), never)).rejects.toMatchObject({
        code: 'scan_not_found',
      });
    }
  });

  it('are not there, and not told to be none, while no folder is open', async () => {
    lab = await openLab({ folders: ['Open'], scans: [] });
    const closed = { code: 'config_invalid', message: expect.stringContaining('remote_folders is not set') };
    await expect(remoteOf({}).list(never)).rejects.toMatchObject(closed);
    await expect(remoteOf({}).fetch('9', new PassThrough().resume(), never)).rejects.toMatchObject(closed);
    expect(lab.sim.journal.entries()).toEqual([]);
  });

  it('say which folder is misspelt and which there are, beside those of the others', async () => {
    lab = await openLab({ folders: ['Open', 'Closed'], scans });
    const remote = remoteOf({ remote_folders: ['Opne', 'Open'] });
    const { scans: listed, trouble } = await remote.list(never);
    expect(listed).toHaveLength(4);
    expect(trouble?.message).toMatch(/names "Opne", .*Folders there: .*"Open", "Closed"/);
    await expect(remote.fetch('999999', new PassThrough().resume(), never)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('"Opne"'),
    });
    expect((await fetched(remote, idOf('Büro ñ'))).outcome).toEqual({ whole: true });
  });

  it('are partial when they were aborted, and not there yet while they run', async () => {
    lab = await openLab({ folders: ['Open', 'Closed'], scans });
    const remote = remoteOf({ remote_folders: ['Open'] });
    expect((await fetched(remote, idOf('aborted one'))).outcome).toMatchObject({ whole: false });
    for (const name of ['running one', 'never run']) {
      await expect(remote.fetch(String(idOf(name)), new PassThrough().resume(), never)).rejects.toMatchObject({
        code: 'scan_not_finished',
      });
    }
  });

  it('are none where the scanner has none', async () => {
    lab = await openLab({ folders: ['Open'] });
    expect(await remoteOf({ remote_folders: ['Open'] }).list(never)).toEqual({ scans: [] });
  });
});

describe('old scans of our own', () => {
  it('are deleted after the configured days, and no others', async () => {
    const marker = 'scanmux scan_abcdefghjk0123456789.1';
    lab = await openLab({
      trash_first: true,
      scans: [
        { name: 'payroll', owner: 'scanner' },
        { name: marker, owner: 'somebody', description: `Marker: ${marker}. ` },
        { name: 'scanmux scan_abcdefghjk0123456789.2', owner: 'scanner', description: 'mine, renamed' },
      ],
    });
    const scanner = lab.another({ delete_after_days: 7 });
    await lab.attempt({}, scanner);
    expect(lab.all('DELETE', '/scans/{id}')).toEqual([]);
    lab.sim.control.advance(8 * DAY);
    await lab.attempt({}, scanner);
    expect(lab.foreignWrites()).toEqual([]);
    expect(lab.sim.control.scans().filter(({ origin }) => origin === 'api')).toHaveLength(1);
    expect(lab.sim.control.scans()).toHaveLength(4);
  });

  it('are deleted without any new scan, at the first upkeep and then once an hour', async () => {
    lab = await openLab();
    await lab.attempt();
    await lab.attempt();
    lab.sim.control.advance(8 * DAY);
    const scanner = lab.another({ delete_after_days: 7 });
    await scanner.probe(never);
    expect(lab.sim.control.scans()).toHaveLength(2);
    await scanner.upkeep?.();
    expect(lab.sim.control.scans()).toHaveLength(0);
    const lists = (): number => lab.all('GET', '/scans').length;
    const before = lists();
    for (let minute = 0; minute < 59; minute += 1) {
      await lab.pass(60_000);
      await scanner.upkeep?.();
    }
    expect(lists()).toBe(before);
    await lab.pass(60_000);
    await scanner.upkeep?.();
    expect(lists()).toBe(before + 1);
  });

  it('are not looked for without that setting, and a scanner that is away is no error', async () => {
    lab = await openLab();
    await lab.scanner.upkeep?.();
    expect(lab.sim.journal.entries()).toEqual([]);
    await lab.another({ delete_after_days: 1, url: 'http://127.0.0.1:1' }).upkeep?.();
  });

  it('stay for ever without that setting', async () => {
    lab = await openLab();
    await lab.attempt();
    lab.sim.control.advance(4_000 * DAY);
    await lab.attempt();
    expect(lab.sim.control.scans()).toHaveLength(2);
  });

  it('do not keep a scan from ending well when they cannot be deleted', async () => {
    lab = await openLab({ faults: [{ on: 'DELETE /scans/{id}', do: 'status', code: 500 }] });
    const scanner = lab.another({ delete_after_days: 1 });
    await lab.attempt({}, scanner);
    lab.sim.control.advance(2 * DAY);
    expect((await lab.attempt({}, scanner)).outcome).toEqual({ whole: true });
  });
});
