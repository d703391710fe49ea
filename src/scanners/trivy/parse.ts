import type { Readable } from 'node:stream';
import type { ReportEvent } from '../../model/report.ts';
import type { JsonPlan } from '../../platform/json-plan.ts';
import { readJson } from '../../platform/json-stream.ts';
import { createSpool } from '../../platform/spool.ts';
import { jsonHead } from '../json-head.ts';
import type { ReportFormat } from '../report-format.ts';
import { TrivyReader } from './reader.ts';

const WHAT = 'Trivy report';
const take = (name: string): JsonPlan => ({ take: name });
const items = (name: string): JsonPlan => ({ each: { take: name } });

const RESULT: JsonPlan = {
  name: 'result',
  members: {
    Target: take('Target'),
    Class: take('Class'),
    Type: take('Type'),
    Vulnerabilities: items('vulnerability'),
    Misconfigurations: items('misconfiguration'),
    Secrets: items('secret'),
    Licenses: items('licence'),
    ExperimentalModifiedFindings: items('modified'),
  },
};
const RESOURCES: JsonPlan = {
  each: {
    name: 'resource',
    members: {
      Namespace: take('Namespace'),
      Kind: take('Kind'),
      Name: take('Name'),
      Error: take('Error'),
      Results: { each: RESULT },
    },
  },
};
const PLAN: JsonPlan = {
  name: 'report',
  members: {
    SchemaVersion: take('SchemaVersion'),
    Trivy: take('Trivy'),
    CreatedAt: take('CreatedAt'),
    ArtifactName: take('ArtifactName'),
    ArtifactType: take('ArtifactType'),
    ClusterName: take('ClusterName'),
    Results: { each: RESULT },
    Resources: RESOURCES,
    Findings: RESOURCES,
    // What the first cluster reports had instead of `Resources`.
    Vulnerabilities: RESOURCES,
    Misconfigurations: RESOURCES,
  },
  // Before schema 2 (2021) the report was the list of results.
  each: RESULT,
};

/** What makes a result one of Trivy, in a report without its head. */
const RESULT_SIGNS = ['Vulnerabilities', 'Misconfigurations', 'Secrets', 'Licenses'].map((key) => `Results[].${key}`);
const CLUSTER_LISTS = ['Resources', 'Findings', 'Vulnerabilities', 'Misconfigurations'];

/** Trivy's JSON: schema 2, the list of results before it, and cluster reports. */
export const trivyFormat: ReportFormat = {
  name: 'trivy',
  engine: 'trivy',
  places: 'artefacts',
  detect(head) {
    const shape = jsonHead(head);
    const has = (path: string): boolean => shape?.paths.has(path) ?? false;
    if (shape?.root === 'list')
      return has('[].Target') && (has('[].Vulnerabilities') || has('[].Class') || has('[].Type'));
    if (has('ClusterName')) return CLUSTER_LISTS.some(has);
    if (RESULT_SIGNS.some(has) || (has('Results[].Target') && has('Results[].Class'))) return true;
    return has('SchemaVersion') && ['ArtifactName', 'ArtifactType', 'Results'].some(has);
  },
  parse: parseTrivy,
};

/**
 * One finding per vulnerability, failed misconfiguration, secret and licence. A result proves a look at its file, or at
 * the image. Items whose place is written behind them wait for it on disk.
 *
 * `[]` is what Trivy wrote before schema 2 when it found nothing: no findings, and no word about what was looked at.
 * @throws AppError report_unreadable naming item and byte
 */
export async function* parseTrivy(report: Readable): AsyncGenerator<ReportEvent, void, undefined> {
  const ofResult = createSpool();
  const ofReport = createSpool();
  const reader = new TrivyReader(WHAT, ofResult, ofReport);
  try {
    for await (const part of readJson(report, PLAN, { what: WHAT })) yield* reader.take(part);
    yield* reader.ending();
  } catch (error) {
    yield* reader.rest();
    throw error;
  } finally {
    await ofResult.close();
    await ofReport.close();
  }
}
