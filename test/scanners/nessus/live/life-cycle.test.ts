import { afterEach, describe, expect, it } from 'vitest';
import type { ScenarioInput } from '../../../../src/simulators/nessus/scenario.ts';
import { address, openLab, type Attempt, type Lab } from './harness.ts';

let lab: Lab;
afterEach(async () => lab.close());

const run = (script: NonNullable<ScenarioInput['runs']>[number]): ScenarioInput => ({ runs: [script] });
const phases = ({ progress }: Attempt): string[] => [...new Set(progress.map(({ phase }) => phase))];

function expectOneScan(): void {
  expect(lab.done('POST', '/scans')).toHaveLength(1);
  expect(lab.done('POST', '/scans/{id}/launch')).toHaveLength(1);
  expect(lab.foreignWrites()).toEqual([]);
}

describe('a scan on Nessus', () => {
  it('is made, launched once, followed and exported', async () => {
    lab = await openLab();
    const attempt = await lab.attempt();
    expect(attempt.error).toBeUndefined();
    expect(attempt.outcome).toEqual({ whole: true });
    expect(attempt.report).toContain('<ReportHost name="10.0.0.1"');
    expect(attempt.report.trimEnd().endsWith('</NessusClientData_v2>')).toBe(true);
    expect(phases(attempt)).toEqual(expect.arrayContaining(['scanning', 'fetching the report']));
    expectOneScan();
  });

  it('carries scan id and epoch in its name, and marker and trace in its description', async () => {
    lab = await openLab();
    await lab.attempt({ scanId: 'scan_0123456789abcdefghjk', epoch: 3 });
    const [scan] = lab.sim.control.scans();
    expect(scan?.name).toBe('scanmux scan_0123456789abcdefghjk.3');
    expect(scan?.description).toMatch(/Marker: scanmux scan_0123456789abcdefghjk\.3\. Trace: [0-9a-f]{32}\./);
  });

  it('goes to the main folder whatever its id, and to a named one', async () => {
    lab = await openLab({ folders: ['Züge ñ'], seed: 99 });
    await lab.attempt();
    await lab.attempt({}, lab.another({ folder: 'Züge ñ' }));
    const folders = lab.sim.control.scans().map(({ folderId }) => folderId);
    expect(new Set(folders).size).toBe(2);
    expectTwo();
  });

  it('names the folders and templates there are when the configured one is missing', async () => {
    lab = await openLab({ folders: ['Nightly'] });
    const folder = await lab.attempt({}, lab.another({ folder: 'Nope' }));
    expect(folder.error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('Nightly') });
    const template = await lab.attempt({}, lab.another({ template: 'nope' }));
    expect(template.error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('advanced') });
    const scanner = await lab.attempt({}, lab.another({ scanner_name: 'nope' }));
    expect(scanner.error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('Local Scanner') });
    expect(lab.all('POST', '/scans')).toEqual([]);
    expect((await lab.attempt({}, lab.another({ scanner_name: 'local scanner' }))).outcome).toEqual({ whole: true });
  });

  it('sends a name with the addresses that were allowed, and networks as they are', async () => {
    lab = await openLab();
    const host = { target: { kind: 'host', text: 'a.example', host: 'a.example' }, addresses: ['10.0.0.7'] } as const;
    const network = {
      target: { kind: 'network', text: '10.1.0.0/30', first: '10.1.0.0', last: '10.1.0.3', size: 4 },
      addresses: ['10.1.0.0', '10.1.0.1', '10.1.0.2', '10.1.0.3'],
    } as const;
    await lab.attempt({ targets: [host, network] });
    expect(lab.sim.control.scans()[0]?.targets).toBe('a.example[10.0.0.7],10.1.0.0/30');
  });

  it('is followed through every state Nessus has, and through one that nobody knows', async () => {
    const walk = [
      'pending',
      'initializing',
      'running',
      'pausing',
      'resuming',
      'reticulating',
      'processing',
      'publishing',
    ];
    lab = await openLab(run({ walk: walk.map((status) => ({ status, for_ms: 40_000 })) }));
    const attempt = await lab.attempt();
    expect(attempt.outcome).toEqual({ whole: true });
    expect(phases(attempt)).toContain('unknown state at the scanner: reticulating');
    expectOneScan();
  });

  it('shows progress that never falls and never is 100 before the end, and says that it is a guess', async () => {
    lab = await openLab(run({ walk: [{ status: 'running', for_ms: 120_000 }], hosts: { every_ms: 20_000 } }));
    const targets = Array.from({ length: 6 }, (_, index) => address(`10.0.0.${index + 1}`));
    const { progress } = await lab.attempt({ targets });
    const percents = progress.map(({ percent }) => percent);
    expect(percents).toEqual(percents.toSorted((a, b) => a - b));
    expect(Math.max(...percents)).toBeLessThan(100);
    expect(progress.every(({ estimated }) => estimated)).toBe(true);
    expect(progress.at(-1)?.remoteId).toBe(String(lab.sim.control.scans()[0]?.id));
  });

  it('waits while a person has paused it', async () => {
    const hour = 3_600_000;
    lab = await openLab(
      run({
        someone: [
          { after_ms: 3_000, does: 'pause' },
          { after_ms: 2 * hour, does: 'resume' },
        ],
      }),
    );
    const attempt = await lab.attempt();
    expect(attempt.outcome).toEqual({ whole: true });
    expect(phases(attempt)).toContain('paused');
    expect(lab.sim.journal.entries().length).toBeLessThan(400);
    expectOneScan();
  });

  it('is not taken for over while the list still shows how things were before the launch', async () => {
    lab = await openLab(run({ stale_ms: 8_000 }));
    expect((await lab.attempt()).outcome).toEqual({ whole: true });
    expectOneScan();
  });

  it('asks seldom when it takes long', async () => {
    lab = await openLab(run({ walk: [{ status: 'running', for_ms: 3_600_000 }] }));
    expect((await lab.attempt()).outcome).toEqual({ whole: true });
    expect(lab.all('GET', '/scans').length).toBeLessThan(140);
  });

  it('is told from scans of the same name that others made', async () => {
    const scanId = 'scan_0123456789abcdefghjk';
    const name = `scanmux ${scanId}.1`;
    lab = await openLab({
      scans: [
        { name, status: 'running' },
        { name, owner: 'scanner', status: 'empty' },
      ],
    });
    const attempt = await lab.attempt({ scanId, previous: { phase: 'intent', reference: name }, epoch: 2 });
    expect(attempt.outcome).toEqual({ whole: true });
    expectOneScan();
  });

  it('works on Tenable Vulnerability Management as well', async () => {
    lab = await openLab({ edition: 'tenable_vm' });
    const attempt = await lab.attempt();
    expect(attempt.error).toBeUndefined();
    expect(attempt.outcome).toEqual({ whole: true });
    expectOneScan();
  });
});

function expectTwo(): void {
  expect(lab.done('POST', '/scans')).toHaveLength(2);
}
