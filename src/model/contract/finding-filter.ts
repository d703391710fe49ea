import { z } from 'zod';
import { Severity } from '../finding.ts';

/** The filters every question about findings takes: the same words and the same meaning everywhere. */
export const FindingFilterShape = {
  severity_levels: z.array(Severity).max(5).optional().describe('Only these severities.'),
  min_severity: Severity.optional().describe('Only this severity and worse.'),
  min_cvss: z.number().min(0).max(10).optional().describe('Only findings with a CVSS score of at least this.'),
  min_epss: z.number().min(0).max(1).optional().describe('Only findings with an EPSS probability of at least this.'),
  kev_only: z.boolean().default(false).describe('Only findings in the CISA catalogue of exploited vulnerabilities.'),
  exploit_available: z.boolean().optional().describe('Only findings with (true) or without (false) a public exploit.'),
  host: z.string().min(1).max(253).optional().describe('IP, CIDR or name.'),
  port: z.int().min(0).max(65_535).optional().describe('Only findings on this port.'),
  cve: z.string().max(40).optional().describe('Only findings of this CVE, e.g. CVE-2021-44228.'),
  rule_id: z.string().min(1).max(200).optional().describe('Only findings of this check.'),
  text: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Searched in title, description, package, file, URL, image and target-written text.'),
  include_suppressed: z.boolean().default(false).describe('Also show findings that were suppressed.'),
} as const;
