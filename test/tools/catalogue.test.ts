import { describe, expect, it } from 'vitest';
import { estimateTokens } from '../../src/findings/tokens.ts';
import { TOOLS } from '../../src/tools/catalogue.ts';
import { listed } from '../../src/tools/listed.ts';
import { renderToolDocs, toolListText } from '../../src/tools/render-docs.ts';

const MAX_TOOLS = 20;
/** Of the whole list, output schemas included: what every conversation pays before it starts. */
const MAX_LIST_TOKENS = 15_000;

const SHARED_RUN_ARGUMENTS = [
  'targets',
  'name',
  'description',
  'scanner_pool',
  'scanner_instance',
  'intensity',
  'ports',
  'templates',
  'severity_levels',
  'priority',
  'project_id',
  'idempotency_key',
  'max_duration_minutes',
  'wait_seconds',
];

const FILTERS = [
  'severity_levels',
  'min_severity',
  'min_cvss',
  'min_epss',
  'kev_only',
  'exploit_available',
  'host',
  'port',
  'cve',
  'rule_id',
  'text',
  'include_suppressed',
];

/** The public contract: clients and prompts rely on exactly these. */
const PROMISED: Readonly<Record<string, readonly string[]>> = {
  run_untrusted_scan: SHARED_RUN_ARGUMENTS,
  run_authenticated_scan: [...SHARED_RUN_ARGUMENTS, 'credential_ref', 'privilege'],
  plan_scan: [...SHARED_RUN_ARGUMENTS, 'credential_ref', 'privilege'],
  get_scan_status: ['scan_id'],
  wait_for_scan: ['scan_id', 'wait_seconds'],
  cancel_scan: ['scan_id', 'reason'],
  list_scans: ['state', 'target', 'scanner_pool', 'project_id', 'created_after', 'created_before', 'limit', 'cursor'],
  get_scan_results: ['scan_id', ...FILTERS, 'group_by', 'detail', 'fields', 'sort', 'max_tokens', 'cursor'],
  get_finding: ['finding_id', 'max_tokens'],
  suppress_finding: ['finding_id', 'status', 'reason', 'expires_at', 'scope'],
  export_report: ['scan_id', 'format', ...FILTERS],
  import_report: ['path', 'content', 'source', 'format', 'name', 'keep_partial'],
  compare_scans: ['head_scan_id', 'base_scan_id', 'base_before', ...FILTERS, 'max_tokens', 'cursor'],
  search_findings: [...FILTERS, 'target', 'finished_after', 'latest_only', 'max_tokens', 'cursor'],
  list_scanners: ['scanner_pool', 'remote_scans'],
  get_queue_status: ['scanner_pool'],
};

/** Everything else only reads. */
const CHANGING: ReadonlySet<string> = new Set([
  'run_untrusted_scan',
  'run_authenticated_scan',
  'cancel_scan',
  'suppress_finding',
  'export_report',
  'import_report',
]);

const tools = TOOLS.map((tool) => listed(tool));

/** Every key of a JSON Schema, however deep. */
function keywords(schema: unknown): string[] {
  if (Array.isArray(schema)) return schema.flatMap(keywords);
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([key, value]) => [key, ...keywords(value)]);
}

describe('the list of tools', () => {
  it('holds exactly the promised tools with exactly the promised arguments', () => {
    const found = tools.map(({ name, inputSchema }) => [name, Object.keys(inputSchema.properties).toSorted()]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(Object.entries(PROMISED).map(([name, names]) => [name, names.toSorted()])),
    );
    expect(tools).toHaveLength(Object.keys(PROMISED).length);
  });

  it('fits into an agent: at most 20 tools and 15,000 tokens', () => {
    const tokens = estimateTokens(toolListText());
    process.stdout.write(`tools/list: ${tools.length} tools, about ${tokens} tokens\n`);
    expect(tools.length).toBeLessThanOrEqual(MAX_TOOLS);
    expect(tokens).toBeLessThanOrEqual(MAX_LIST_TOKENS);
  });

  it('spells out each part of a status once, and says where', () => {
    const part = (tool: string, key: string) => tools.find(({ name }) => name === tool)?.outputSchema.properties[key];
    expect(part('get_scan_results', 'coverage')).toEqual({ type: 'object', description: 'As in get_scan_status.' });
    for (const key of ['progress', 'coverage', 'authentication', 'results', 'error']) {
      expect(part('get_scan_status', key)).toMatchObject({ type: 'object', properties: expect.anything() });
      expect(part('run_untrusted_scan', key), key).toBeUndefined();
    }
    const run = tools.find(({ name }) => name === 'run_untrusted_scan');
    expect(run?.outputSchema['description']).toContain('other keys of get_scan_status');
  });

  it('is what the documentation describes, one section per tool', () => {
    const page = renderToolDocs(1);
    expect([...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name)).toEqual(tools.map(({ name }) => name));
    expect(page).toContain('| `priority` | integer | `5` | 1 to 10 | 1 is served first. |');
  });
});

describe.each(tools)('$name', ({ name, title, description, annotations, inputSchema, outputSchema }) => {
  it('says what it is, within bounds', () => {
    expect(name).toMatch(/^[a-z]+(_[a-z]+)+$/);
    expect(title.length).toBeGreaterThan(5);
    expect(title.length).toBeLessThanOrEqual(60);
    expect(description.length).toBeGreaterThan(40);
    expect(description.length).toBeLessThanOrEqual(500);
  });

  it('sets all four annotations, and none that contradict each other', () => {
    expect(annotations).toEqual({
      title,
      readOnlyHint: expect.any(Boolean),
      destructiveHint: expect.any(Boolean),
      idempotentHint: expect.any(Boolean),
      openWorldHint: expect.any(Boolean),
    });
    expect(annotations.readOnlyHint && annotations.destructiveHint).toBe(false);
    expect(annotations.readOnlyHint).toBe(!CHANGING.has(name));
    expect(annotations.openWorldHint).toBe(/^(run_untrusted|run_authenticated|plan)_scan$/.test(name));
  });

  it('describes every argument, in a sentence without a line break', () => {
    for (const [argument, { description: meaning }] of Object.entries(inputSchema.properties))
      expect(meaning, argument).toMatch(/^[^\n]{10,140}$/);
  });

  it('takes flat arguments that every client can send, and refuses unknown ones', () => {
    const used = new Set(keywords(inputSchema));
    for (const keyword of ['anyOf', 'oneOf', 'allOf', '$ref', 'not', 'nullable', 'const'])
      expect(used.has(keyword), keyword).toBe(false);
    for (const [argument, part] of Object.entries(inputSchema.properties))
      expect(['string', 'integer', 'number', 'boolean', 'array'], argument).toContain(part.type);
    expect(inputSchema['additionalProperties']).toBe(false);
  });

  it('answers with an object whose summary comes first and is always there', () => {
    expect(outputSchema.type).toBe('object');
    expect(Object.keys(outputSchema.properties)[0]).toBe('summary');
    expect(outputSchema['required']).toContain('summary');
  });

  it('looks to clients as it did when it was last reviewed', async () => {
    const seen = { name, title, description, annotations, inputSchema, outputSchema };
    await expect(`${JSON.stringify(seen, null, 2)}\n`).toMatchFileSnapshot(`./__snapshots__/${name}.json`);
  });
});
