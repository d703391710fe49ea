import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'gpt-tokenizer';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { estimateTokens } from '../../src/findings/tokens.ts';
import { COMMON_FIX, KEV_RULE, nessusReport } from './large-nessus.ts';
import { connect, createInstallation } from './stdio-client.ts';

const HOSTS = 100;
const ITEMS = 1_000;
const RULES = 1_400;
const FIXED = 12;
const ADDED = 5;
const CALLS = 5;
const TOKENS = 12_000;

describe('an agent that triages a scan of 100,000 findings', () => {
  it(`learns what is urgent, where, what fixes most, one finding in full and what changed in ${CALLS} calls and ${TOKENS} tokens`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'scanmux-reports-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const network = { hosts: HOSTS, itemsPerHost: ITEMS, rules: RULES };
    writeFileSync(join(folder, 'before.nessus'), nessusReport(network));
    writeFileSync(join(folder, 'after.nessus'), nessusReport({ ...network, later: { fixed: FIXED, added: ADDED } }));
    const installation = createInstallation({
      'policy.yaml': 'allow: [10.20.0.0/16]\n',
      'scanmux.yaml': `storage_reserve_mb: 0\nimport_folders: [${JSON.stringify(folder)}]\n`,
    });
    const mcp = await connect(installation, { program: 'dist/cli/main.js' });
    const before = await mcp.ok('import_report', { path: 'before.nessus' });
    const after = await mcp.ok('import_report', { path: 'after.nessus' });
    expect(before).toMatchObject({ format: 'nessus', total: HOSTS * ITEMS, verdict: 'complete' });
    const scan_id = String(after['scan_id']);

    let estimated = 0;
    let counted = 0;
    const asked: string[] = [];
    const ask = async (tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>> => {
      const answer = await mcp.ok(tool, args);
      const text = JSON.stringify(answer);
      asked.push(tool);
      estimated += estimateTokens(text);
      counted += encode(text).length;
      return answer;
    };
    const urgent = await ask('get_scan_results', { scan_id, detail: 'brief', max_tokens: 2_500 });
    const where = await ask('get_scan_results', { scan_id, group_by: 'host', min_severity: 'high', max_tokens: 1_000 });
    const fixes = await ask('get_scan_results', {
      scan_id,
      group_by: 'solution',
      sort: 'count',
      min_severity: 'medium',
      max_tokens: 1_000,
    });
    const [top] = z.array(z.object({ finding_id: z.string() })).parse(urgent['findings']);
    const finding = await ask('get_finding', { finding_id: top?.finding_id, max_tokens: 2_000 });
    const changed = await ask('compare_scans', { head_scan_id: scan_id, min_severity: 'info', max_tokens: 2_500 });
    console.log(`triage: ${JSON.stringify({ calls: asked.length, estimated, counted })}`);

    // What is true of the report by its making, not by asking scanmux again.
    const total = HOSTS * ITEMS - removed() + ADDED;
    expect(urgent).toMatchObject({ total, verdict: 'complete' });
    expect(first(urgent['findings'])).toMatchObject({ kev: true, rule_id: `nessus:${100_000 + KEV_RULE}` });
    expect(where).toMatchObject({ groups: expect.anything(), verdict: 'complete' });
    expect(first(fixes['groups'])).toMatchObject({ key: COMMON_FIX });
    expect(finding).toMatchObject({ kev: true, exploit_available: true, severity: 'critical' });
    expect(changed).toMatchObject({
      base_scan_id: before['scan_id'],
      counts: { new: ADDED, fixed: removed(), newly_visible: 0, not_observed: 0, changed: 0 },
    });
    expect(asked.length).toBeLessThanOrEqual(CALLS);
    expect(estimated).toBeLessThanOrEqual(TOKENS);
    expect(counted).toBeLessThanOrEqual(TOKENS);
  }, 120_000);
});

const first = (list: unknown): unknown => z.array(z.unknown()).parse(list)[0];

/** Of the first hosts, those that had rule 1 at all. */
function removed(): number {
  let count = 0;
  for (let host = 0; host < FIXED; host += 1) {
    for (let at = 0; at < ITEMS; at += 1) if ((host * 3 + at) % (RULES - 1) === 0) count += 1;
  }
  return count;
}
