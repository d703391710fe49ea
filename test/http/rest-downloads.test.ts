import { describe, expect, it } from 'vitest';
import { ExportInput } from '../../src/model/contract/export.ts';
import { createDownloads, createDownloadUrl } from '../../src/http/rest/downloads.ts';
import { exportReport } from '../../src/tools/export-report.ts';
import { runTool } from '../../src/tools/run-tool.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { END, found, placed } from '../findings/reports.ts';
import { finishedScan } from '../tools/finished-scan.ts';
import { CALLERS, startRest, type RestServer } from './rest-server.ts';
import { callerNamed } from './fixed-authenticator.ts';

const REPORT = [placed('10.0.0.1', 'tested'), found({ title: 'A weakness to be found again' }), END];
const ours = CALLERS['ours'] ?? callerNamed('none');

const finished = ({ app, data }: RestServer): Promise<string> => finishedScan({ queue: app.queue, data }, REPORT);
const wanted = (scanId: string): ExportInput => ExportInput.parse({ scan_id: scanId, format: 'csv' });

describe('a download link', () => {
  it('is what export_report answers where the caller does not share our disk, and needs no key', async () => {
    const server = await startRest();
    const scanId = await finished(server);
    const ask = { caller: ours, traceId: 'a'.repeat(32), signal: new AbortController().signal };
    const downloadUrl = createDownloadUrl(server.downloads, () => `${server.url}/`);
    const context = { scans: server.app.scans, ask, onProgress: undefined, downloadUrl };
    const answer = await runTool(exportReport, wanted(scanId), () => Promise.resolve(context));
    expect(answer).not.toHaveProperty('path');
    expect(exportReport.output.parse(answer)).toEqual(answer);
    const file = await fetch(String(answer['download_url']));
    expect(file.status).toBe(200);
    expect(await file.text()).toContain('A weakness to be found again');
    expect(file.headers.get('content-disposition')).toBe(`attachment; filename="${scanId}.csv"`);
  });

  it('is good on every server of the queue, for five minutes', async () => {
    const server = await startRest();
    const scanId = await finished(server);
    let now = Date.now();
    const elsewhere = createDownloads({ secrets: server.app.secrets, clock: { ...systemClock, now: () => now } });
    const token = await elsewhere.tokenFor(wanted(scanId), ours);
    expect((await server.downloads.read(token)).caller).toMatchObject({ tenant: 'local', name: 'link:key:ours' });
    now += 5 * 60_000;
    expect(await elsewhere.read(token)).toBeDefined();
    now += 1;
    await expect(elsewhere.read(token)).rejects.toMatchObject({ code: 'forbidden' });
    for (const odd of [`${token}.anything`, `${token}=`, `${token}.`])
      await expect(server.downloads.read(odd)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('reaches nothing of another tenant', async () => {
    const server = await startRest();
    const scanId = await finished(server);
    const token = await server.downloads.tokenFor(wanted(scanId), callerNamed('key:theirs', { tenant: 'others' }));
    const answer = await fetch(`${server.url}/api/downloads/${token}`);
    expect(answer.status).toBe(404);
  });

  it('that was changed or made up is refused, and says nothing', async () => {
    const server = await startRest();
    const token = await server.downloads.tokenFor(wanted(await finished(server)), ours);
    const [text = '', signature = ''] = token.split('.');
    const grant = Buffer.from(text, 'base64url').toString('utf8').replace('"local"', '"other"');
    const forged = Buffer.from(grant).toString('base64url');
    const tokens = [`${forged}.${signature}`, `${text}.`, `${text}.${signature.slice(4)}`, 'x', 'a'.repeat(9_000)];
    for (const one of tokens) {
      const answer = await fetch(`${server.url}/api/downloads/${one}`);
      expect(answer.status, one.slice(0, 20)).toBe(403);
      expect(await answer.json()).toMatchObject({ code: 'forbidden', hint: expect.stringMatching(/over MCP/) });
    }
  });
});
