import { z } from 'zod';
import { describe, expect, it } from 'vitest';
import { openAuditLog } from '../../src/audit/audit-log.ts';
import { connect, createInstallation, finished } from './stdio-client.ts';

const Meta = z.object({ structuredContent: z.object({ scan_id: z.string(), trace_id: z.string() }) });

describe('a conversation', () => {
  it('is one trail of trace and scan ids, from the traceparent of the client to the audit log', async () => {
    const installation = createInstallation();
    const mcp = await connect(installation);
    const trace = 'a'.repeat(32);
    const answer = await mcp.client.callTool({
      name: 'run_untrusted_scan',
      arguments: { targets: ['127.0.0.1'], scanner_pool: 'scripted' },
      _meta: { traceparent: `00-${trace}-${'b'.repeat(16)}-01` },
    });
    const { scan_id: id, trace_id: traceId } = Meta.parse(answer).structuredContent;
    expect(traceId).toBe(trace);
    expect(await finished(mcp, id)).toMatchObject({ trace_id: trace });
    await mcp.ok('get_scan_results', { scan_id: id });
    await mcp.ok('get_finding', { finding_id: `${id}.1` });
    await mcp.fails('run_untrusted_scan', { targets: ['10.0.0.1'], scanner_pool: 'scripted' });
    await mcp.close();

    const audit = await openAuditLog({ folder: installation.data, clock: Date });
    const entries = await audit.tail(10);
    expect(entries.map(({ action, decision, scanId }) => [action, decision, scanId])).toEqual([
      ['submit', 'allowed', id],
      ['read_results', 'allowed', id],
      ['read_results', 'allowed', id],
      ['refuse', 'target_denied', undefined],
    ]);
    expect(entries[0]?.traceId).toBe(trace);
    expect(entries.every(({ traceId: each }) => /^[0-9a-f]{32}$/.test(each ?? ''))).toBe(true);
    expect(await audit.verify()).toMatchObject({ ok: true });
    await audit.close();
  });

  it('gives each answer once as an object and once as its text, and lists only tools that work', async () => {
    const mcp = await connect(createInstallation());
    const { tools } = await mcp.client.listTools();
    const needed = {
      targets: ['127.0.0.1'],
      scan_id: 'scan_00000000000000000000',
      head_scan_id: 'scan_00000000000000000000',
      finding_id: 'none',
      status: 'active',
      reason: 'none',
      format: 'csv',
      credential_ref: 'none',
    };
    // Refused for what they name, or (an import of nothing) for what they do not.
    const refused = (name: string, keys: readonly string[]) =>
      name === 'import_report' || keys.some((key) => /_(id|ref)$/.test(key));
    for (const { name, inputSchema } of tools) {
      const asked = Object.entries(needed).filter(([key]) => inputSchema.required?.includes(key));
      const keys = asked.map(([key]) => key);
      const args = Object.fromEntries(asked);
      const answer = refused(name, keys) ? mcp.fails(name, args) : mcp.ok(name, args);
      await expect(answer, name).resolves.toBeDefined();
    }
  });
});
