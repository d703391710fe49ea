import { afterEach, describe, expect, it } from 'vitest';
import { connect, type Client } from './nessus-client.ts';

let client: Client;
afterEach(async () => client.close());

describe('a scan on the simulated Nessus', () => {
  it('is created, launched, walks its statuses, and its report can be downloaded', async () => {
    client = await connect({}, { http: false });
    const id = await client.create({ name: 'web tier', text_targets: '10.0.0.1, 10.0.0.2\n10.0.0.3' });
    expect(await client.status(id)).toBe('empty');
    await client.launch(id);
    const seen: string[] = [];
    for (const ms of [0, 500, 500, 5_000, 500]) {
      client.sim.control.advance(ms);
      seen.push(await client.status(id));
    }
    expect(seen).toEqual(['pending', 'initializing', 'running', 'processing', 'completed']);
    const { text, headers } = await client.ask('GET', await client.export(id));
    expect(headers['content-type']).toBe('application/octet-stream');
    expect(text.match(/<ReportHost name="[^"]*"/g)).toEqual(
      ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((host) => `<ReportHost name="${host}"`),
    );
    expect(text.trimEnd().endsWith('</NessusClientData_v2>')).toBe(true);
  });
});
