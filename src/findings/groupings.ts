import type { GroupBy } from './findings.ts';
import { madeOnce } from './kept.ts';
import type { OpenFindings } from './open-findings.ts';
import { damaged } from './reading.ts';

/** Which groups the findings of each rule belong to: those of rule r are `ids[begins[r]]` up to `ids[begins[r + 1]]`. */
export interface RuleGroups {
  readonly begins: Uint32Array;
  readonly ids: Uint32Array;
  /** Group ids are below this. */
  readonly groups: number;
}

export function ruleGroups(file: OpenFindings, by: Exclude<GroupBy, 'none' | 'host'>): RuleGroups {
  switch (by) {
    case 'rule':
      return oneEach(file.rules.name);
    case 'solution':
      return oneEach(file.rules.solution);
    case 'severity':
      return oneEach(Uint32Array.from(file.rules.severity));
    case 'cve':
      return cveGroups(file);
  }
}

function oneEach(ids: Uint32Array): RuleGroups {
  let last = -1;
  for (const id of ids) if (id > last) last = id;
  return { begins: Uint32Array.from({ length: ids.length + 1 }, (_, rule) => rule), ids, groups: last + 1 };
}

/** CVEs are numbered by their text; the last number stands for those without one. */
const cveGroups = madeOnce((file): RuleGroups => {
  const { count } = file.rules;
  const rows = Number(file.db.prepare('SELECT count(*) AS n FROM rule_cve').get()?.['n']);
  const rules = new Uint32Array(rows);
  const cves = new Uint32Array(rows);
  const begins = new Uint32Array(count + 1);
  let row = 0;
  let cve = -1;
  let text: unknown;
  for (const found of file.db.prepare('SELECT cve, rule FROM rule_cve ORDER BY cve, rule').iterate()) {
    const rule = Number(found['rule']);
    if (!(rule >= 0 && rule < count) || row >= rows) throw damaged(file.path);
    if (found['cve'] !== text) cve += 1;
    text = found['cve'];
    rules[row] = rule;
    cves[row] = cve;
    row += 1;
    begins[rule] = (begins[rule] ?? 0) + 1;
  }
  return placed({ rules, cves, begins, none: cve + 1 });
});

interface CvePairs {
  readonly rules: Uint32Array;
  readonly cves: Uint32Array;
  /** How many CVEs each rule has; becomes where its CVEs begin. */
  readonly begins: Uint32Array;
  readonly none: number;
}

function placed({ rules, cves, begins, none }: CvePairs): RuleGroups {
  let total = 0;
  for (let rule = 0; rule < begins.length; rule += 1) {
    const own = rule === begins.length - 1 ? 0 : Math.max(begins[rule] ?? 0, 1);
    begins[rule] = total;
    total += own;
  }
  const ids = new Uint32Array(total).fill(none);
  const next = begins.slice();
  for (let row = 0; row < rules.length; row += 1) {
    const rule = rules[row] ?? 0;
    const at = next[rule] ?? 0;
    ids[at] = cves[row] ?? 0;
    next[rule] = at + 1;
  }
  return { begins, ids, groups: none + 1 };
}

/** For each host the first one with the same label: several names and addresses may be shown as one. */
export const hostLabels = madeOnce((file) => {
  const last = Number(file.db.prepare('SELECT coalesce(max(id), -1) AS id FROM host').get()?.['id']);
  const same = new Uint32Array(last + 1);
  let nameless: number | undefined;
  let label: unknown;
  let first = 0;
  for (const row of file.db.prepare('SELECT id, label FROM host ORDER BY label, id').iterate()) {
    const id = Number(row['id']);
    if (row['label'] !== label) first = id;
    label = row['label'];
    same[id] = first;
    if (label === '') nameless = first;
  }
  return { same, nameless };
});

/** All findings host by host: those of the host labelled by number n stand from `begins[n]` up to `begins[n + 1]`. */
export interface HostWalk {
  readonly begins: Uint32Array;
  /** Places in the columns, and the rule of each again, so that a walk reads memory from front to back. */
  readonly indexes: Uint32Array;
  readonly rules: Uint32Array;
}

export const hostWalk = madeOnce((file): HostWalk => {
  const { same } = hostLabels(file);
  const begins = new Uint32Array(same.length + 2);
  for (const host of file.host) {
    const after = (same[host] ?? 0) + 2;
    begins[after] = (begins[after] ?? 0) + 1;
  }
  for (let at = 1; at < begins.length; at += 1) begins[at] = (begins[at] ?? 0) + (begins[at - 1] ?? 0);
  const indexes = new Uint32Array(file.count);
  const rules = new Uint32Array(file.count);
  for (let index = 0; index < file.count; index += 1) {
    const label = (same[file.host[index] ?? 0] ?? 0) + 1;
    const at = begins[label] ?? 0;
    indexes[at] = index;
    rules[at] = file.rule[index] ?? 0;
    begins[label] = at + 1;
  }
  return { begins, indexes, rules };
});
