import type { Readable } from 'node:stream';
import { AppError } from '../../model/errors.ts';
import type { ReportEvent } from '../../model/report.ts';
import type { JsonPlan } from '../../platform/json-plan.ts';
import { readJson, type JsonPart } from '../../platform/json-stream.ts';
import { createSpool, type Spool } from '../../platform/spool.ts';
import { defined, isObject, objectOf, textOf, timeOf, type JsonObject } from '../json-fields.ts';
import { jsonHead } from '../json-head.ts';
import type { ReportFormat } from '../report-format.ts';
import { createRuleCache } from '../rule-cache.ts';
import { readItem, type ItemPlace } from '../unreadable-item.ts';
import { ZAP_CHECKS } from './checks.ts';
import { zapFinding } from './finding.ts';
import { createSiteLedger, type ZapSite } from './sites.ts';

const WHAT = 'ZAP report';
const take = (name: string): JsonPlan => ({ take: name });
const facts = (...names: string[]): Record<string, JsonPlan> =>
  Object.fromEntries(names.map((name) => [name, take(name)]));

const words = (text: string): string[] => text.split(' ');
/** Far more than is shown of any text: a body in a `-plus` report may have megabytes. */
const CUT_BYTES = 256 << 10;
const INSTANCE: JsonPlan = {
  take: 'instance',
  only: Object.fromEntries(
    words('uri method param attack evidence otherinfo request-header request-body response-header response-body').map(
      (name) => [name, { take: name, cutBytes: CUT_BYTES }],
    ),
  ),
};
const ALERT: JsonPlan = {
  name: 'alert',
  members: {
    ...facts('pluginid', 'alertRef', 'alert', 'name', 'riskcode', 'confidence', 'desc', 'solution', 'reference'),
    ...facts('otherinfo', 'cweid', 'wascid', 'uri', 'method', 'param', 'attack', 'evidence'),
    instances: { each: INSTANCE },
  },
};
const SITE = { ...facts('@name', '@host', '@port'), alerts: { each: ALERT } };
const PLAN: JsonPlan = {
  name: 'report',
  members: {
    ...facts('@programName', '@version', '@generated', 'created'),
    // A report of one site may write it without the list.
    site: { name: 'sites', members: SITE, each: { name: 'site', members: SITE } },
  },
};

const ALERTS = ['site[].@name', 'site.@name', 'site[].alerts'];

/** ZAP's `traditional-json` and `traditional-json-plus`, since 2.4. */
export const zapJsonFormat: ReportFormat = {
  name: 'zap',
  engine: 'zap',
  detect(head) {
    const paths = jsonHead(head)?.paths;
    if (!paths) return false;
    return (
      (paths.has('@version') && (paths.has('@generated') || paths.has('@programName'))) ||
      ALERTS.some((path) => paths.has(path))
    );
  },
  parse: parseZapJson,
};

/**
 * One finding per alert instance; an alert without instances is one. The facts of an alert stand on both sides of its
 * instances, so these wait until it ends.
 * @throws AppError report_unreadable naming the byte
 */
export async function* parseZapJson(report: Readable): AsyncGenerator<ReportEvent, void, undefined> {
  const spool = createSpool();
  const reader = new ZapReader(spool);
  try {
    for await (const part of readJson(report, PLAN, { what: WHAT })) {
      const ended = await reader.take(part);
      if (ended) yield* reader.alertEvents(ended);
    }
    yield* reader.ending();
  } catch (error) {
    yield* reader.rest();
    throw error;
  } finally {
    await spool.close();
  }
}

class ZapReader {
  readonly #spool: Spool;
  readonly #intern = createRuleCache();
  readonly #sites = createSiteLedger();
  #report: Record<string, unknown> = {};
  #site: Record<string, unknown> = {};
  #alert: Record<string, unknown> | undefined;
  #alertsOfSite = 0;
  #instances = 0;
  #seenReport = false;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  /** Gives the part that ended an alert, when one ended. */
  async take(part: JsonPart): Promise<JsonPart | undefined> {
    if (part.kind === 'open') this.#open(part.name);
    else if (part.kind === 'value') await this.#value(part);
    else if (part.name === 'alert') return part;
    else if (part.name === 'site' || part.name === 'sites') this.#closeSite();
    return undefined;
  }

  async *alertEvents(part: ItemPlace): AsyncGenerator<ReportEvent> {
    const alert: JsonObject = this.#alert ?? {};
    this.#alert = undefined;
    this.#alertsOfSite += 1;
    const event = (instance: JsonObject | undefined): ReportEvent =>
      readItem(WHAT, part, () => {
        const isAlert = textOf(alert['alert']) ?? textOf(alert['name']) ?? textOf(alert['pluginid']);
        return isAlert === undefined ? undefined : zapFinding(this.#siteFacts(), alert, instance, this.#intern);
      });
    // Versions before 2.5 wrote the place on the alert itself.
    if (this.#instances === 0) yield event(alert['uri'] === undefined ? undefined : alert);
    else for await (const instance of this.#spool.drain()) yield event(objectOf(instance));
    this.#instances = 0;
  }

  /** The whole instances of an alert that was cut short, with what was said of it before them. */
  async *rest(): AsyncGenerator<ReportEvent> {
    if (this.#alert === undefined || this.#instances === 0 || textOf(this.#alert['riskcode']) === undefined) return;
    yield* this.alertEvents({ name: 'alert', index: 0, offset: 0 });
  }

  *ending(): Generator<ReportEvent> {
    if (!this.#seenReport)
      throw new AppError('report_unreadable', `The ${WHAT} has no site list: it is something else.`);
    for (const place of this.#sites.places()) yield { kind: 'place', place };
    yield ZAP_CHECKS;
    const { '@programName': tool, '@version': version, '@generated': generated, created } = this.#report;
    const finishedAt = timeOf(created) ?? timeOf(generated);
    yield {
      kind: 'source',
      source: { tool: textOf(tool) ?? 'ZAP', ...defined({ version: textOf(version), finishedAt }) },
    };
    yield { kind: 'end' };
  }

  #open(name: string): void {
    if (name === 'alert') this.#alert = {};
    if (name === 'site' || name === 'sites') this.#site = {};
    if (name === 'sites') this.#seenReport = true;
  }

  async #value(part: JsonPart & { kind: 'value' }): Promise<void> {
    const { name, value } = part;
    if (name === 'instance') {
      readItem(WHAT, part, () => (isObject(value) ? true : undefined));
      this.#instances += 1;
      await this.#spool.add(value);
    } else if (this.#alert) this.#alert[name] = value;
    else if (name === '@name' || name === '@host' || name === '@port') this.#site[name] = value;
    else this.#report[name] = value;
  }

  #closeSite(): void {
    if (Object.keys(this.#site).length > 0 || this.#alertsOfSite > 0)
      this.#sites.note(this.#siteFacts(), this.#alertsOfSite);
    this.#site = {};
    this.#alertsOfSite = 0;
  }

  #siteFacts(): ZapSite {
    return { name: this.#site['@name'], host: this.#site['@host'], port: this.#site['@port'] };
  }
}
