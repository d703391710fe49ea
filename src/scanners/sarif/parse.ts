import type { Readable } from 'node:stream';
import { AppError } from '../../model/errors.ts';
import type { ReportEvent } from '../../model/report.ts';
import type { JsonPlan } from '../../platform/json-plan.ts';
import { readJson } from '../../platform/json-stream.ts';
import { createSpool } from '../../platform/spool.ts';
import { jsonHead } from '../json-head.ts';
import type { ReportFormat } from '../report-format.ts';
import { SarifReader } from './reader.ts';

const WHAT = 'SARIF report';
const take = (name: string): JsonPlan => ({ take: name });

const component = (name: string, rule: string): Record<string, JsonPlan> => ({
  name: take(`${name}.name`),
  guid: take(`${name}.guid`),
  version: take(`${name}.version`),
  semanticVersion: take(`${name}.semanticVersion`),
  globalMessageStrings: take(`${name}.messages`),
  rules: { each: take(rule) },
});

const only = (name: string, members: Readonly<Record<string, JsonPlan>>): JsonPlan => ({ take: name, only: members });
/** CodeQL writes one for every file it read: they are only counted. */
const NOTIFICATIONS: JsonPlan = { each: only('notification', { level: take('level') }) };

const RUN: JsonPlan = {
  name: 'run',
  members: {
    tool: {
      name: 'tool',
      members: {
        driver: { members: component('driver', 'rule') },
        extensions: { each: { name: 'extension', members: component('extension', 'rule of extension') } },
      },
    },
    results: { name: 'results', each: take('result') },
    artifacts: { name: 'artifacts', each: only('artifact', { location: take('location'), roles: take('roles') }) },
    logicalLocations: { name: 'logicalLocations', each: take('logical location') },
    taxonomies: {
      name: 'taxonomies',
      each: {
        name: 'taxonomy',
        members: { name: take('taxonomy.name'), guid: take('taxonomy.guid'), taxa: { each: take('taxon') } },
      },
    },
    invocations: {
      name: 'invocations',
      each: only('invocation', {
        executionSuccessful: take('executionSuccessful'),
        startTimeUtc: take('startTimeUtc'),
        endTimeUtc: take('endTimeUtc'),
        ruleConfigurationOverrides: take('ruleConfigurationOverrides'),
        toolExecutionNotifications: NOTIFICATIONS,
        toolConfigurationNotifications: NOTIFICATIONS,
      }),
    },
    versionControlProvenance: { name: 'repositories', each: take('repository') },
    automationDetails: take('automation'),
    externalPropertyFileReferences: take('external'),
    properties: take('properties'),
  },
};
const PLAN: JsonPlan = {
  name: 'report',
  members: {
    version: take('version'),
    runs: { name: 'runs', each: RUN },
    inlineExternalProperties: { each: { members: { results: { each: take('inline result') } } } },
  },
};

/** SARIF 2.1.0 of any tool, and what scanmux itself exports as SARIF. */
export const sarifFormat: ReportFormat = {
  name: 'sarif',
  engine: 'sarif',
  places: 'artefacts',
  detect(head) {
    const shape = jsonHead(head);
    if (shape?.root !== 'object') return false;
    const { paths } = shape;
    const isNamed = /sarif/i.test(paths.get('$schema') ?? '') || /^2\.\d/.test(paths.get('version') ?? '');
    if (paths.has('runs') && isNamed) return true;
    return (
      paths.has('runs[].tool') ||
      paths.has('runs[].results') ||
      /sarif-schema|sarif-2/i.test(paths.get('$schema') ?? '')
    );
  },
  parse: parseSarif,
};

/**
 * One finding per result, whatever its kind, level or suppression; these are told with it. Keys of SARIF have no order:
 * results that come before what they point to (rules, artifacts) wait on disk until their run ends.
 * @throws AppError report_unreadable naming item and byte
 */
export async function* parseSarif(report: Readable): AsyncGenerator<ReportEvent, void, undefined> {
  const spool = createSpool();
  const reader = new SarifReader(WHAT, spool);
  try {
    for await (const part of readJson(report, PLAN, { what: WHAT })) yield* reader.take(part);
    if (!reader.hasRuns) throw new AppError('report_unreadable', `The ${WHAT} has no runs: it is something else.`);
    yield* reader.ending();
  } catch (error) {
    yield* reader.rest();
    throw error;
  } finally {
    await spool.close();
  }
}
