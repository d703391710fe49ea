import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newScanId } from '../../src/model/ids.ts';
import { TOOLS } from '../../src/tools/catalogue.ts';
import { askOf, tenantsLab, type TenantsLab } from '../scans/tenants-lab.ts';
import { acme, blue, madeId, openLab, POLICY, populate, report, run } from './isolation-lab.ts';

const textOf = (answer: unknown): string => (typeof answer === 'string' ? answer : JSON.stringify(answer));

/** Arguments a tool needs besides the one that names something. */
const BASE: Readonly<Record<string, Record<string, unknown>>> = {
  run_untrusted_scan: run,
  run_authenticated_scan: { ...run, credential_ref: 'blue-lab' },
  plan_scan: run,
  wait_for_scan: { wait_seconds: 1 },
  suppress_finding: { status: 'mitigated', reason: 'patched' },
  export_report: { format: 'json' },
  import_report: {},
};

type Named = { readonly tool: string; readonly key: string };

/** Every argument of every tool that names a thing there is. New tools and arguments are walked as they come. */
const NAMING: readonly Named[] = TOOLS.flatMap(({ name, input }) => {
  const { properties = {} } = z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' });
  return Object.keys(properties)
    .filter((key) => /scan_id$|finding_id$|^credential_ref$|^cursor$/.test(key))
    .map((key) => ({ tool: name, key }));
});

describe('what another tenant has', () => {
  it('is named by arguments that the walk knows', () => {
    expect(new Set(NAMING.map(({ key }) => key))).toEqual(
      new Set(['scan_id', 'finding_id', 'head_scan_id', 'base_scan_id', 'credential_ref', 'cursor']),
    );
    expect(NAMING.length).toBeGreaterThan(12);
  });

  it('answers every tool as what does not exist, byte for byte', async () => {
    const lab = await openLab();
    const theirs = await populate(lab);
    const own = madeId(await lab.call(blue, 'import_report', { content: report([22]) }));
    const scanOf = new Map<string, readonly string[]>([
      ['scan_id', theirs.scans],
      ['head_scan_id', theirs.scans],
      ['base_scan_id', theirs.scans],
      ['finding_id', [theirs.finding, `${theirs.scans[0]}.60`]],
      ['credential_ref', ['acme-lab']],
      ['cursor', Object.values(theirs.cursors)],
    ]);
    const unknownOf = (key: string, like: string): string => {
      if (key === 'credential_ref') return 'zzzz-lab';
      // One of the same form that nobody was given.
      if (key === 'cursor') return Buffer.from(`${newScanId()}.AAAAAAAAAAAA`).toString('base64url');
      return like.includes('.') ? `${newScanId()}.1` : newScanId();
    };
    for (const { tool, key } of NAMING) {
      for (const named of scanOf.get(key) ?? []) {
        const base = { ...(key === 'cursor' || key === 'base_scan_id' ? defaults(tool, own) : {}), ...BASE[tool] };
        const unknown = unknownOf(key, named);
        const [one, other] = [
          await lab.call(blue, tool, { ...base, [key]: named }),
          await lab.call(blue, tool, { ...base, [key]: unknown }),
        ];
        const what = `${tool} ${key}=${named}`;
        expect(textOf(one), what).toMatch(/^[a-z_]+: /);
        expect(textOf(one).replaceAll(named, 'ID'), what).toBe(textOf(other).replaceAll(unknown, 'ID'));
      }
    }
  });

  const defaults = (tool: string, own: string): Record<string, unknown> => {
    if (tool === 'get_scan_results') return { scan_id: own };
    return tool === 'compare_scans' ? { head_scan_id: own } : {};
  };

  it('has no events, and nobody is woken by them', async () => {
    const lab = await openLab();
    const { scans } = await populate(lab);
    const { queue } = lab.app;
    for (const id of [...scans, newScanId()]) {
      expect(await queue.events('blue', id, 0)).toEqual([]);
      expect(await queue.waitForEvent('blue', id, 0, AbortSignal.timeout(20))).toBe(false);
      expect(await queue.get('blue', id)).toBeUndefined();
    }
    for (const change of [
      (id: string) => queue.cancel('blue', id),
      (id: string) => queue.retryDeadLetter('blue', id),
    ]) {
      const told = async (id: string): Promise<string> =>
        change(id).then(
          () => 'done',
          (error: unknown) => String(error).replaceAll(id, 'ID'),
        );
      const unknown = await told(newScanId());
      for (const id of scans) expect(await told(id)).toBe(unknown);
    }
    expect(await queue.deadLetters('blue', 10)).toEqual([]);
  });

  it('is not imported twice, nor from a folder of others', async () => {
    const folder = join(process.env['TMPDIR'] ?? '/tmp', `scanmux-import-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'a.xml'), report([22]));
    const settings = `storage_reserve_mb: 0\nimport_folders: [{ path: ${folder}, tenants: [acme] }]\n`;
    const { call } = await tenantsLab({ 'policy.yaml': POLICY, 'scanmux.yaml': settings });
    const ours = madeId(await call(acme, 'import_report', { path: 'a.xml' }));
    const there = await call(blue, 'import_report', { path: 'a.xml' });
    expect(there).toMatch(/^forbidden: path: no folder is open for imports\./);
    expect(there).toBe(await call(blue, 'import_report', { path: 'nothing-there.xml' }));
    const content = await call(blue, 'import_report', { content: report([22]) });
    expect(content).toMatchObject({ deduplicated: false });
    expect(madeId(content)).not.toBe(ours);
  });
});

/**
 * What tenants share by intent, because they share the scanners: how long the line is, and how long one waits in it.
 * docs/access.md says so.
 */
const SHARED =
  /,?"(?:queue_position|estimated_wait_seconds|expected_wait_seconds|estimated_duration_seconds|active)":\d+/g;

describe('what a tenant sees', () => {
  /** What blue does and is told, with everything random or of the place made equal. */
  async function storyOf(lab: TenantsLab): Promise<string[]> {
    const ids = new Map<string, string>();
    const plain = (answer: unknown): string =>
      textOf(answer)
        .replaceAll(lab.data, 'DATA')
        .replaceAll(/scan_[0-9a-z]{20}/g, (id) => {
          ids.set(id, ids.get(id) ?? `ID${ids.size}`);
          return ids.get(id) ?? '';
        })
        .replaceAll(/[0-9a-f]{16,64}/g, 'HEX')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
        .replaceAll(/"(?:next_cursor|cursor)":"[^"]*"/g, '"cursor"')
        .replaceAll(/"bytes":\d+/g, '"bytes"')
        .replaceAll(SHARED, '');
    const told: string[] = [];
    const asks = async (tool: string, args: Record<string, unknown> = {}): Promise<unknown> => {
      const answer = await lab.call(blue, tool, args);
      told.push(`${tool} ${plain(answer)}`);
      return answer;
    };
    await asks('list_scans');
    await asks('search_findings');
    await asks('get_queue_status');
    await asks('list_scanners');
    await asks('plan_scan', run);
    await asks('plan_scan', { ...run, targets: ['10.9.0.1'] });
    const first = madeId(await asks('import_report', { content: report([22, 80]) }));
    const second = madeId(await asks('import_report', { content: report([22, 443]) }));
    await asks('run_untrusted_scan', { ...run, idempotency_key: 'the-same-for-both' });
    await asks('run_untrusted_scan', { ...run, targets: ['10.9.0.1'] });
    for (const scan_id of [first, second]) {
      await asks('get_scan_status', { scan_id });
      await asks('get_scan_results', { scan_id, detail: 'full', max_tokens: 20_000 });
      await asks('get_finding', { finding_id: `${scan_id}.1` });
      await asks('export_report', { scan_id, format: 'json' });
    }
    await asks('compare_scans', { head_scan_id: second });
    await asks('compare_scans', { head_scan_id: second, base_scan_id: first });
    await asks('search_findings', { port: 80 });
    await asks('search_findings', { target: '10.9.0.1' });
    await asks('list_scans', { limit: 1 });
    await asks('list_scans', { target: '10.9.0.1' });
    await asks('list_scans', { project_id: 'secret' });
    await asks('get_queue_status');
    await asks('list_scanners');
    return told;
  }

  it('is the same whether there are others or not: no count, list, search, comparison or plan tells', async () => {
    const alone = await storyOf(await openLab());
    const crowded = await openLab();
    await populate(crowded);
    const told = await storyOf(crowded);
    expect(told).toEqual(alone);
    expect(told.findLast((line) => line.startsWith('compare_scans'))).toContain('"new":1');
  });

  it('in numbers that are shared says nothing but how long it waits', async () => {
    const crowded = await openLab();
    await populate(crowded);
    expect(await crowded.call(blue, 'run_untrusted_scan', run)).toMatchObject({
      deduplicated: false,
      queue_position: 2,
    });
  });
});

describe('the audit log', () => {
  it('has who asked for what of whom, under the own tenant', async () => {
    const lab = await openLab();
    const { scans } = await populate(lab);
    await lab.call(blue, 'cancel_scan', { scan_id: scans[0] });
    expect((await lab.app.audit.tail(1))[0]).toMatchObject({
      caller: { tenant: 'blue', name: 'key:blue' },
      action: 'cancel',
      decision: 'scan_not_found',
    });
    await expect(lab.app.scans.deadLetters.retry(scans[0] ?? '', askOf(blue))).rejects.toMatchObject({
      code: 'scan_not_found',
    });
  });
});
