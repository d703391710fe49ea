/** Attributes of a `<ReportItem>` that are read. */
export const READ_ATTRIBUTES: ReadonlySet<string> = new Set([
  'port',
  'svc_name',
  'protocol',
  'severity',
  'pluginID',
  'pluginName',
  'pluginFamily',
]);

/** Attributes of a `<ReportItem>` by name, decoded. */
export type ItemAttributes = Readonly<Record<string, string | undefined>>;

/** The children that say something we model, each with its number. The others (dates, CPEs, ...) are checked and dropped. */
export const CHILD = {
  'cisa-known-exploited': 0,
  'compliance-actual-value': 1,
  'compliance-audit-file': 2,
  'compliance-check-id': 3,
  'compliance-check-name': 4,
  'compliance-error': 5,
  'compliance-info': 6,
  'compliance-policy-value': 7,
  'compliance-reference': 8,
  'compliance-result': 9,
  'compliance-see-also': 10,
  'compliance-solution': 11,
  cve: 12,
  cvss3_base_score: 13,
  cvss3_vector: 14,
  cvss4_base_score: 15,
  cvss4_vector: 16,
  cvss_base_score: 17,
  cvss_vector: 18,
  cwe: 19,
  description: 20,
  epss_score: 21,
  exploit_available: 22,
  exploit_framework_canvas: 23,
  exploit_framework_core: 24,
  exploit_framework_d2_elliot: 25,
  exploit_framework_exploithub: 26,
  exploit_framework_metasploit: 27,
  exploited_by_malware: 28,
  exploited_by_nessus: 29,
  plugin_name: 30,
  plugin_output: 31,
  risk_factor: 32,
  see_also: 33,
  solution: 34,
  synopsis: 35,
  vpr_score: 36,
  xref: 37,
  // Scores of Tenable Web App Scanning.
  cvss: 38,
  cvssv3: 39,
} as const;

const NUMBERS: ReadonlyMap<string, number> = new Map(Object.entries(CHILD));

/** Texts of children by their numbers in `CHILD`: mostly one, else all in the order of the report. */
export type ItemChildren = (string | string[] | undefined)[];

const NO_CHILDREN: ItemChildren = Array.from(NUMBERS, () => undefined);

/** With room for every child: what is looked for in vain is a hole otherwise, and that is slow. */
export const noChildren = (): ItemChildren => NO_CHILDREN.slice();

/** One more text of a child. */
export function addText(children: ItemChildren, child: number, text: string): void {
  const said = children[child];
  if (said === undefined) children[child] = text;
  else if (typeof said === 'string') children[child] = [said, text];
  else said.push(text);
}

/** A `<ReportItem>` as it stands in the report: what we read of it, decoded, nothing judged. */
export interface RawItem {
  readonly attributes: ItemAttributes;
  readonly children: readonly (string | readonly string[] | undefined)[];
  /** True: there is nothing but printable ASCII, tab and newline in any of its texts. */
  readonly isPlain?: boolean;
}

/** Elements that say that an exploit is there. */
export const EXPLOITS: readonly number[] = [
  CHILD.exploit_available,
  CHILD.exploit_framework_canvas,
  CHILD.exploit_framework_core,
  CHILD.exploit_framework_d2_elliot,
  CHILD.exploit_framework_exploithub,
  CHILD.exploit_framework_metasploit,
  CHILD.exploited_by_malware,
  CHILD.exploited_by_nessus,
];

/** The prefix is a matter of taste: one exporter binds `cm` to another URI, others may call it otherwise. */
const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/** The number of the child by its name with or without prefix, when it is one we read. */
export const childOf = (name: string): number | undefined => NUMBERS.get(localName(name));

/**
 * Whether a child is what the scanned host itself wrote: other on every host, so no part of the rule. The description of
 * an audit item repeats result and actual value.
 */
export function isOfTheHost(child: number, isAudit: boolean): boolean {
  switch (child) {
    case CHILD.plugin_output:
    case CHILD['compliance-actual-value']:
    case CHILD['compliance-error']:
      return true;
    case CHILD.description:
      return isAudit;
    default:
      return false;
  }
}

const NONE: readonly string[] = [];

/** The first text of a child. */
export function first({ children }: RawItem, child: number): string | undefined {
  const said = children[child];
  return typeof said === 'object' ? said[0] : said;
}

/** All texts of a child. */
export function all({ children }: RawItem, child: number): readonly string[] {
  const said = children[child];
  return typeof said === 'string' ? [said] : (said ?? NONE);
}

/** Items of audit files; `<compliance>false</compliance>` also exists. */
export const isCompliance = ({ children }: RawItem): boolean => children[CHILD['compliance-check-name']] !== undefined;
