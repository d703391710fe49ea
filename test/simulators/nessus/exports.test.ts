import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ReportEvent } from '../../../src/model/report.ts';
import { nessusFormat } from '../../../src/scanners/nessus/format.ts';
import type { ScenarioInput } from '../../../src/simulators/nessus/scenario.ts';
import { connect, type Client } from './nessus-client.ts';

let client: Client;
afterEach(async () => client.close());

const Answer = z.object({ file: z.number(), token: z.string() });
const advance = (ms: number): void => client.sim.control.advance(ms);

/** A finished scan of two hosts. */
async function finished(scenario: ScenarioInput = {}, targets = '10.0.0.1 10.0.0.2'): Promise<number> {
  client = await connect(scenario);
  const id = await client.create({ text_targets: targets });
  await client.launch(id);
  advance(1_000_000);
  return id;
}

const asked = async (id: number): Promise<z.infer<typeof Answer>> =>
  Answer.parse((await client.ask('POST', `/scans/${id}/export`, { format: 'nessus' })).value);
const statusOf = async (path: string): Promise<unknown> => (await client.ask('GET', path)).value;

async function eventsOf(report: string): Promise<ReportEvent[]> {
  const events: ReportEvent[] = [];
  for await (const event of nessusFormat.parse(Readable.from([Buffer.from(report)]))) events.push(event);
  return events;
}

describe('an export', () => {
  it('is loading for a while, then ready, by both routes', async () => {
    const id = await finished({ exports: { loading_polls: 2 } });
    const { file, token } = await asked(id);
    expect(await statusOf(`/scans/${id}/export/${file}/status`)).toEqual({ status: 'loading' });
    expect((await client.ask('GET', `/scans/${id}/export/${file}/download`)).status).toBe(404);
    expect(await statusOf(`/tokens/${token}/status`)).toEqual({ status: 'loading' });
    expect(await statusOf(`/tokens/${token}/status`)).toEqual({ status: 'ready' });
    const one = await client.ask('GET', `/scans/${id}/export/${file}/download`);
    const other = await client.ask('GET', `/tokens/${token}/download`);
    expect(one.text).toBe(other.text);
    expect(one.headers['content-disposition']).toMatch(/^attachment; filename="/);
    expect(one.headers['content-length']).toBeUndefined();
  });

  it('may fail', async () => {
    const id = await finished({ exports: { ends: 'error', loading_polls: 0 } });
    const { file } = await asked(id);
    expect(await statusOf(`/scans/${id}/export/${file}/status`)).toMatchObject({ status: 'error' });
    expect((await client.ask('GET', `/scans/${id}/export/${file}/download`)).status).toBe(404);
  });

  it.each([
    [['file'], [200, 404, 404]],
    [['tokens'], [404, 200, 404]],
    [['scans_exports'], [404, 404, 200]],
  ] as const)('of a server with the routes %j is only there', async (routes, statuses) => {
    const id = await finished({ exports: { routes: [...routes], loading_polls: 0 } });
    const { file, token } = await asked(id);
    const paths = [
      `/scans/${id}/export/${file}/download`,
      `/tokens/${token}/download`,
      `/scans/exports/${token}/download`,
    ];
    const got = await Promise.all(paths.map(async (path) => (await client.ask('GET', path)).status));
    expect(got).toEqual(statuses);
  });

  it.each([
    ['temp_token', ['file', 'temp_token']],
    ['file', ['file']],
  ] as const)('is answered by older servers as %s', async (answer, keys) => {
    const id = await finished({ exports: { answer } });
    const { value } = await client.ask('POST', `/scans/${id}/export`, { format: 'nessus' });
    expect(Object.keys(z.record(z.string(), z.unknown()).parse(value))).toEqual(keys);
  });

  it('is gone after its time', async () => {
    const id = await finished({ exports: { token_expires_ms: 5_000, loading_polls: 0 } });
    const { file, token } = await asked(id);
    advance(5_001);
    expect((await client.ask('GET', `/scans/${id}/export/${file}/status`)).status).toBe(404);
    expect((await client.ask('GET', `/tokens/${token}/download`)).status).toBe(404);
  });

  it('is 404 of a scan that never ran, and 400 in a format nobody knows', async () => {
    client = await connect();
    const id = await client.create();
    expect((await client.ask('POST', `/scans/${id}/export`, { format: 'nessus' })).status).toBe(404);
    expect((await client.ask('POST', `/scans/${id}/export`, { format: 'docx' })).status).toBe(400);
  });

  it('is of the run that was asked for', async () => {
    const id = await finished({ runs: [{ when: { nth: 1 }, report: { findings_per_host: 1 } }] }, '10.0.0.1');
    const first = await client.ask('GET', await client.export(id));
    await client.launch(id);
    advance(1_000_000);
    const { history } = z
      .object({ history: z.array(z.object({ history_id: z.number() })) })
      .parse((await client.ask('GET', `/scans/${id}`)).value);
    const again = await client.ask('GET', await client.export(id, `?history_id=${history[0]?.history_id}`));
    expect(again.text).toBe(first.text);
    expect((await client.ask('GET', await client.export(id))).text).not.toBe(first.text);
    expect((await client.ask('POST', `/scans/${id}/export?history_id=1`, { format: 'nessus' })).status).toBe(404);
  });

  it('of a running scan is partial, where the server gives one', async () => {
    client = await connect({ exports: { while_running: 'partial' }, runs: [{ hosts: { every_ms: 2_000 } }] });
    const id = await client.create({ text_targets: '10.0.0.1 10.0.0.2' });
    await client.launch(id);
    advance(1_000 + 2_500);
    const { text } = await client.ask('GET', await client.export(id));
    const places = (await eventsOf(text)).flatMap((event) => (event.kind === 'place' ? [event.place] : []));
    expect(places).toMatchObject([
      { place: '10.0.0.1', status: 'tested' },
      { place: '10.0.0.2', status: 'partial' },
    ]);
  });

  it('of a stopped scan has what was found until then', async () => {
    client = await connect();
    const id = await client.create({ text_targets: '10.0.0.1' });
    await client.launch(id);
    advance(1_500);
    client.sim.control.does('stop', id);
    advance(300);
    const { text } = await client.ask('GET', await client.export(id));
    expect(text).toContain('<ReportHost name="10.0.0.1">');
    expect(text).not.toContain('HOST_END"');
  });

  it('announces its true length where the scenario wants it', async () => {
    const id = await finished({ exports: { content_length: true } });
    const { headers, text } = await client.ask('GET', await client.export(id));
    expect(headers['content-length']).toBe(String(Buffer.byteLength(text)));
  });

  it('is read by scanmux: every finding, every host, and who was dead', async () => {
    const dead = ['10.0.0.2'];
    const id = await finished({ runs: [{ hosts: { dead }, report: { findings_per_host: 50 } }] }, '10.0.0.1-10.0.0.3');
    const events = await eventsOf((await client.ask('GET', await client.export(id))).text);
    const places = events.flatMap((event) => (event.kind === 'place' ? [event.place] : []));
    expect(places).toMatchObject([
      { place: '10.0.0.1', status: 'tested' },
      { place: '10.0.0.3', status: 'tested' },
      { place: '10.0.0.2', status: 'unreachable' },
    ]);
    const found = events.filter(({ kind }) => kind === 'occurrence' || kind === 'finding');
    // Two hosts with their findings, scan information and two items about credentials; one with the ping alone.
    expect(found).toHaveLength(2 * (50 + 3) + 1);
    expect(events.at(-1)?.kind).toBe('end');
  });

  it('is as long as the scenario wants it, the same each time, and not held in memory', async () => {
    const bytes = 12_000_000;
    const id = await finished({ runs: [{ report: { bytes } }], exports: { loading_polls: 0 } });
    const path = await client.export(id);
    const download = async (): Promise<{ length: number; hash: string }> => {
      const hash = createHash('sha256');
      let length = 0;
      const chunks: AsyncIterable<Buffer> = (await client.open('GET', path)).body;
      for await (const chunk of chunks) {
        hash.update(chunk);
        length += chunk.length;
      }
      return { length, hash: hash.digest('hex') };
    };
    const first = await download();
    expect(first.length).toBeGreaterThanOrEqual(bytes);
    expect(first.length).toBeLessThan(bytes * 1.5);
    expect(await download()).toEqual(first);
  });
});

describe('a given report', () => {
  const folder = mkdtempSync(join(tmpdir(), 'simulator-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const host = (name: string, fqdn: string): string =>
    `<ReportHost name="${name}"><HostProperties><tag name="host-fqdn">${fqdn}</tag><tag name="os">x</tag><tag name="host-ip">172.16.0.9</tag></HostProperties><ReportItem port="0" svc_name="general" protocol="tcp" severity="0" pluginID="1" pluginName="${name}" pluginFamily="f"><plugin_output>${'y'.repeat(70_000)}</plugin_output></ReportItem></ReportHost>`;

  it('is served with its hosts renamed to the targets, and without those that have none', async () => {
    const file = join(folder, 'given.nessus');
    const given = ['old-a', 'old-b', 'old-c'].map((name) => host(name, `${name}.corp.test`)).join('\n');
    writeFileSync(file, `<NessusClientData_v2><Report name="r">${given}</Report></NessusClientData_v2>`);
    const id = await finished({ runs: [{ report: { file } }] }, '10.0.0.1 app.test');
    const { text } = await client.ask('GET', await client.export(id));
    expect(text.replace(/y{70000}/g, '')).toBe(
      '<NessusClientData_v2><Report name="r">' +
        '<ReportHost name="10.0.0.1"><HostProperties><tag name="os">x</tag><tag name="host-ip">10.0.0.1</tag></HostProperties><ReportItem port="0" svc_name="general" protocol="tcp" severity="0" pluginID="1" pluginName="old-a" pluginFamily="f"><plugin_output></plugin_output></ReportItem></ReportHost>\n' +
        '<ReportHost name="app.test"><HostProperties><tag name="host-fqdn">app.test</tag><tag name="os">x</tag><tag name="host-ip">172.16.0.9</tag></HostProperties><ReportItem port="0" svc_name="general" protocol="tcp" severity="0" pluginID="1" pluginName="old-b" pluginFamily="f"><plugin_output></plugin_output></ReportItem></ReportHost>\n' +
        '</Report></NessusClientData_v2>',
    );
  });

  it('that somebody imported comes back as it was', async () => {
    client = await connect();
    const form = new FormData();
    const report = `<NessusClientData_v2><Report name="quarter">${host('a', 'b')}</Report></NessusClientData_v2>`;
    form.set('Filedata', new Blob([report]), 'scan.nessus');
    const up = await fetch(`${client.sim.url}/file/upload`, { method: 'POST', body: form, headers: client.keys });
    expect(await up.json()).toEqual({ fileuploaded: 'scan.nessus' });
    const { value } = await client.ask('POST', '/scans/import', { file: 'scan.nessus' });
    expect(value).toMatchObject({ scan: { name: 'quarter', status: 'imported' } });
    const [scan] = client.sim.control.scans();
    expect((await client.ask('GET', await client.export(scan?.id ?? 0))).text).toBe(report);
  });
});
