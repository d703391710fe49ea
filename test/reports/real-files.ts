import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SEVERITIES, type Occurrence, type RuleFacts } from '../../src/model/finding.ts';
import type { ReportEvent } from '../../src/model/report.ts';
import type { ReportFormat } from '../../src/scanners/report-format.ts';

/** Reports of other projects lie beside the repository and are never copied into it. */
export const REPORTS = process.env['SCANMUX_REPORTS_DIR'] ?? join(process.cwd(), '..', 'shared', 'reports');

/** Files of one folder there, by name; none when the folder is absent. */
export function realFiles(folder: string): readonly string[] {
  const path = join(REPORTS, folder);
  return existsSync(path) ? readdirSync(path).toSorted() : [];
}

/** A test that tells whoever reads the output when the reports are not there, and fails when they are not found. */
export const sayWhetherThere = (folder: string): void =>
  it(`has reports of other projects in ${folder}, or says that there are none`, () => {
    const isThere = existsSync(REPORTS);
    if (!isThere) console.log(`No reports beside the repository: nothing of ${folder} is tried.`);
    expect(realFiles(folder).length > 0).toBe(isThere);
  });

export const contentOf = (folder: string, file: string): Buffer => readFileSync(join(REPORTS, folder, file));

export interface Reading {
  readonly events: readonly ReportEvent[];
  readonly findings: readonly (Pick<RuleFacts, 'rule_id' | 'severity'> & Pick<Occurrence, 'location'>)[];
  readonly error: unknown;
}

/** Everything a format makes of a file, up to a refusal. */
export async function readWith(format: ReportFormat, folder: string, file: string): Promise<Reading> {
  const events: ReportEvent[] = [];
  let error: unknown;
  try {
    for await (const event of format.parse(createReadStream(join(REPORTS, folder, file)))) events.push(event);
  } catch (refusal) {
    error = refusal;
  }
  const findings = events.flatMap((event) => {
    if (event.kind === 'finding') return [event.finding];
    return event.kind === 'occurrence' ? [{ ...event.rule, ...event.occurrence }] : [];
  });
  return { events, findings, error };
}

/** `critical 1, high 2`, the worst first, without what there is none of. */
export const histogram = (findings: readonly { readonly severity: string }[]): string =>
  SEVERITIES.toReversed()
    .map((severity) => ({ severity, count: findings.filter((finding) => finding.severity === severity).length }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${severity} ${count}`)
    .join(', ');
