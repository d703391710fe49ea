import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ExportFormat } from '../../src/model/contract/export.ts';
import { END, found, placed } from '../findings/reports.ts';
import { nmapXml } from '../scans/nmap-xml.ts';
import { finishedScan } from './finished-scan.ts';
import { wire, type Wire } from './wire.ts';

const REPORT = nmapXml([{ address: '127.0.0.1', ports: [22, 80, 443] }]);

async function imported(): Promise<Wire & { readonly scan_id: string }> {
  const wired = await wire();
  const { scan_id: scanId } = await wired.ok('import_report', { content: REPORT, name: 'weekly' });
  return { ...wired, scan_id: String(scanId) };
}

describe('export_report', () => {
  it('writes every format, and the same file again for the same question', async () => {
    const { ok, scan_id } = await imported();
    for (const format of ExportFormat.options.filter((name) => name !== 'openvex')) {
      const made = await ok('export_report', { scan_id, format });
      expect(made['findings']).toBe(format === 'native' ? undefined : format === 'cyclonedx_vex' ? 0 : 3);
      const content = readFileSync(String(made['path']));
      expect(content.length).toBe(made['bytes']);
      expect(createHash('sha256').update(content).digest('hex')).toBe(made['sha256']);
      expect(String(made['media_type'])).toMatch(/^(application|text)\//);
      if (format === 'native') expect(content.toString()).toBe(REPORT);
      expect(await ok('export_report', { scan_id, format })).toEqual(made);
    }
  });

  it('names and links the resource that holds the same, where there is one', async () => {
    const { client, scan_id } = await imported();
    const exported = async (args: Readonly<Record<string, unknown>>) => {
      const { structuredContent, content } = await client.callTool({
        name: 'export_report',
        arguments: { scan_id, ...args },
      });
      return z
        .object({ made: z.record(z.string(), z.unknown()), links: z.array(z.unknown()) })
        .parse({ made: structuredContent, links: z.array(z.unknown()).parse(content).slice(1) });
    };
    for (const format of ['sarif', 'csv', 'native']) {
      const { made, links } = await exported({ format });
      const uri = `scan://${scan_id}/report/${format}`;
      expect(made).toMatchObject({ resource_uri: uri });
      expect(links).toEqual([{ type: 'resource_link', uri, name: uri, mimeType: made['media_type'] }]);
      const { contents } = await client.readResource({ uri });
      expect(contents).toEqual([
        { uri, mimeType: made['media_type'], text: readFileSync(String(made['path']), 'utf8') },
      ]);
    }
    // The resource is always the whole report.
    const { made, links } = await exported({ format: 'sarif', port: 80 });
    expect(made).not.toHaveProperty('resource_uri');
    expect(links).toEqual([]);
  });

  it('gives back by import what it exported', async () => {
    const { ok, scan_id } = await imported();
    const places = async (id: unknown) => {
      const { findings } = await ok('get_scan_results', { scan_id: id, fields: ['fingerprint', 'place', 'rule_id'] });
      return JSON.stringify(findings).replaceAll(String(id), 'id');
    };
    for (const format of ['jsonl', 'sarif']) {
      const { path } = await ok('export_report', { scan_id, format });
      const again = await ok('import_report', { content: readFileSync(String(path), 'utf8') });
      expect(again).toMatchObject({ format, engine: 'nmap', total: 3, verdict: 'complete' });
      expect(await places(again['scan_id'])).toBe(await places(scan_id));
    }
  });

  it('takes the filters of get_scan_results and says what they left', async () => {
    const { ok, fails, scan_id } = await imported();
    const made = await ok('export_report', { scan_id, format: 'json', port: 80 });
    expect(made).toMatchObject({
      findings: 1,
      summary: expect.stringMatching(/^1 finding exported as json\. 1 of 3 match the filter port\. /),
    });
    const report: unknown = JSON.parse(readFileSync(String(made['path']), 'utf8'));
    expect(report).toMatchObject({ total: 1, total_unfiltered: 3, filtered: ['port: 80'], verdict: 'complete' });
    expect(await fails('export_report', { scan_id, format: 'json', cve: 'x' })).toMatch(/^invalid_request: cve must /);
    expect(await fails('export_report', { scan_id, format: 'native', port: 80 })).toMatch(/cannot be filtered/);
  });

  it('says of an empty one which filters made it so', async () => {
    const { ok, scan_id } = await imported();
    const made = await ok('export_report', { scan_id, format: 'csv', cve: 'CVE-1999-9999', host: '127.0.0.1' });
    expect(made['summary']).toMatch(/^0 findings exported as csv\. 0 of 3 match the filters cve, host\./);
  });

  it('counts what is in a file that cannot hold every finding', async () => {
    const { app, data, ok } = await wire();
    const events = [
      placed('10.0.0.1', 'tested'),
      found({ cves: ['CVE-2010-2075'] }),
      found({ rule_id: 'other', discriminator: '1' }),
      found({ rule_id: 'other', discriminator: '2' }),
      END,
    ];
    const scanId = await finishedScan({ queue: app.queue, data }, events);
    const made = await ok('export_report', { scan_id: scanId, format: 'openvex' });
    expect(made).toMatchObject({
      findings: 1,
      summary: expect.stringMatching(/^1 finding exported as openvex of 3: those that name a CVE or an advisory\./),
    });
  });

  it('counts what is suppressed and left out, and keeps it on request', async () => {
    const { ok, scan_id } = await imported();
    await ok('suppress_finding', { finding_id: `${scan_id}.1`, status: 'accepted_risk', reason: 'known' });
    const made = await ok('export_report', { scan_id, format: 'jsonl' });
    expect(made).toMatchObject({ findings: 2, summary: expect.stringContaining('1 suppressed left out.') });
    const all = await ok('export_report', { scan_id, format: 'jsonl', include_suppressed: true });
    expect(all['findings']).toBe(3);
    expect(readFileSync(String(all['path']), 'utf8')).toContain(
      '"suppression":{"status":"accepted_risk","reason":"known"',
    );
  });

  it('exports a scan that ended before it looked at anything, and says so', async () => {
    const { ok, fails } = await wire();
    const { scan_id } = await ok('run_untrusted_scan', { targets: ['127.0.0.1:1'] });
    expect(await fails('export_report', { scan_id, format: 'html' })).toMatch(/^scan_not_finished: /);
    await ok('cancel_scan', { scan_id });
    const made = await ok('export_report', { scan_id, format: 'html' });
    expect(made).toMatchObject({
      findings: 0,
      summary: expect.stringContaining('not a clean result'),
    });
    expect(readFileSync(String(made['path']), 'utf8')).toContain('Verdict: not tested');
    expect(await fails('export_report', { scan_id, format: 'native' })).toMatch(/before its engine wrote a report/);
  });

  it('names the formats there are, the scan that is not there, and why OpenVEX cannot be', async () => {
    const { fails, scan_id } = await imported();
    expect(await fails('export_report', { scan_id, format: 'pdf' })).toMatch(
      /^invalid_request: .*format.*cyclonedx_vex/,
    );
    expect(await fails('export_report', { scan_id: 'scan_00000000000000000000', format: 'csv' })).toMatch(
      /^scan_not_found: /,
    );
    expect(await fails('export_report', { scan_id, format: 'openvex' })).toMatch(
      /^invalid_request: No finding .* names a CVE/,
    );
  });

  it('is in the audit log, refused or not', async () => {
    const { app, ok, fails, scan_id } = await imported();
    const { sha256 } = await ok('export_report', { scan_id, format: 'csv', port: 80 });
    await fails('export_report', { scan_id: 'scan_00000000000000000000', format: 'csv' });
    const told = (await app.audit.tail(10)).filter(({ action }) => action === 'export');
    expect(told).toMatchObject([
      { decision: 'allowed', scanId: scan_id, detail: { format: 'csv', filters: ['port'], sha256, findings: 1 } },
      { decision: 'scan_not_found' },
    ]);
  });
});
