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

/** A `<ReportItem>` as it stands in the report: what we read of it, decoded, nothing judged. */
export interface RawItem {
  readonly attributes: ItemAttributes;
  /** Texts of child elements by local name, in the order of the report. Only names in `READ`. */
  readonly children: ReadonlyMap<string, readonly string[]>;
}

/** Elements that say that an exploit is there. */
export const EXPLOITS = [
  'exploit_available',
  'exploit_framework_canvas',
  'exploit_framework_core',
  'exploit_framework_d2_elliot',
  'exploit_framework_exploithub',
  'exploit_framework_metasploit',
  'exploited_by_malware',
  'exploited_by_nessus',
] as const;

/** Children that say nothing we model (dates, file names, CPEs, ...) are checked and dropped. */
const READ = new Set<string>([
  'cisa-known-exploited',
  'compliance',
  'compliance-actual-value',
  'compliance-audit-file',
  'compliance-check-id',
  'compliance-check-name',
  'compliance-error',
  'compliance-info',
  'compliance-policy-value',
  'compliance-reference',
  'compliance-result',
  'compliance-see-also',
  'compliance-solution',
  'cve',
  'cvss3_base_score',
  'cvss3_vector',
  'cvss4_base_score',
  'cvss4_vector',
  'cvss_base_score',
  'cvss_vector',
  'cwe',
  'description',
  'epss_score',
  ...EXPLOITS,
  'plugin_name',
  'plugin_output',
  'risk_factor',
  'see_also',
  'solution',
  'synopsis',
  'vpr_score',
  'xref',
]);

/** What the scanned host itself wrote: other on every host, so no part of the rule. */
const OF_THE_HOST = new Set(['plugin_output', 'compliance-actual-value', 'compliance-error']);

/** The prefix is a matter of taste: one exporter binds `cm` to another URI, others may call it otherwise. */
export const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

/** The local name when the child is one we read. */
export function readName(name: string): string | undefined {
  const local = localName(name);
  return READ.has(local) ? local : undefined;
}

/**
 * Whether a child belongs to the place and not to the rule. The description of an audit item repeats result and actual
 * value.
 */
export const isOfTheHost = (local: string, isCompliance: boolean): boolean =>
  OF_THE_HOST.has(local) || (isCompliance && local === 'description');

/** The first text of a child. */
export const first = ({ children }: RawItem, name: string): string | undefined => children.get(name)?.[0];

/** All texts of a child. */
export const all = ({ children }: RawItem, name: string): readonly string[] => children.get(name) ?? [];

/** Items of audit files; `<compliance>false</compliance>` also exists. */
export const isCompliance = (item: RawItem): boolean => item.children.has('compliance-check-name');
