import { Option, type Command } from 'commander';
import { SEVERITIES } from '../model/finding.ts';
import { decimal, listOf, wholeNumber } from './input.ts';

/** Filters as commander gives them. */
export interface FilterOptions {
  readonly severity?: readonly string[];
  readonly minSeverity?: string;
  readonly minCvss?: number;
  readonly minEpss?: number;
  readonly kevOnly?: boolean;
  readonly exploitAvailable?: boolean;
  readonly host?: string;
  readonly port?: number;
  readonly cve?: string;
  readonly ruleId?: string;
  readonly text?: string;
  readonly includeSuppressed?: boolean;
}

/** Gives a command the filters every question about findings takes. */
export const withFilters = (command: Command): Command =>
  command
    .option('--severity <levels>', 'only these, by comma', listOf)
    .addOption(new Option('--min-severity <level>', 'only these and worse').choices(SEVERITIES))
    .option('--min-cvss <score>', 'only these and worse', decimal)
    .option('--min-epss <score>', 'only these and likelier', decimal)
    .option('--kev-only', 'only vulnerabilities known to be exploited (CISA KEV)')
    .option('--exploit-available', 'only findings with a public exploit')
    .option('--host <host>', 'IP, CIDR or name')
    .option('--port <port>', 'port', wholeNumber)
    .option('--cve <id>', 'CVE')
    .option('--rule-id <id>', 'id of the check')
    .option('--text <words>', 'words in the finding')
    .option('--include-suppressed', 'also findings that were suppressed');

/** The same under the names of the schemas. */
export const filtersOf = (options: FilterOptions) => ({
  severity_levels: options.severity,
  min_severity: options.minSeverity,
  min_cvss: options.minCvss,
  min_epss: options.minEpss,
  kev_only: options.kevOnly,
  exploit_available: options.exploitAvailable,
  host: options.host,
  port: options.port,
  cve: options.cve,
  rule_id: options.ruleId,
  text: options.text,
  include_suppressed: options.includeSuppressed,
});
