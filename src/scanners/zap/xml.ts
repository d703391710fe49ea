import type { Readable } from 'node:stream';
import type { ReportEvent } from '../../model/report.ts';
import { createSpool, type Spool } from '../../platform/spool.ts';
import { readXml } from '../../platform/xml.ts';
import { defined, objectOf, textOf, timeOf } from '../json-fields.ts';
import type { ReportFormat } from '../report-format.ts';
import { createRuleCache } from '../rule-cache.ts';
import { xmlHead } from '../xml-head.ts';
import { ZAP_CHECKS } from './checks.ts';
import { zapFinding, type ZapAlert } from './finding.ts';
import { createSiteLedger, type ZapSite } from './sites.ts';
import { ZapXmlReader, type ZapPart } from './xml-alerts.ts';

/** ZAP's `traditional-xml` and `traditional-xml-plus`, and the XML of ZAP before it had templates. */
export const zapXmlFormat: ReportFormat = {
  name: 'zap',
  engine: 'zap',
  detect: (head) => xmlHead(head)?.root === 'OWASPZAPReport',
  parse: parseZapXml,
};

/**
 * One finding per alert instance; an alert without instances is one. The facts of an alert stand on both sides of its
 * instances, so these wait until it ends.
 * @throws AppError report_unreadable naming line and column
 */
export async function* parseZapXml(report: Readable): AsyncGenerator<ReportEvent, void, undefined> {
  const spool = createSpool();
  const alerts = new AlertsOfReport(spool);
  let reader: ZapXmlReader | undefined;
  const handlersFor = (emit: (part: ZapPart) => void, where: () => string): ZapXmlReader =>
    (reader = new ZapXmlReader(emit, where));
  try {
    for await (const part of readXml<ZapPart>(report, handlersFor, { what: 'ZAP report' })) yield* alerts.take(part);
    yield* alerts.places();
    yield ZAP_CHECKS;
    yield sourceOf(reader);
    yield { kind: 'end' };
  } catch (error) {
    // Its whole instances are kept once it is known how bad it is.
    const open = reader?.openAlert;
    if (open?.alert.riskcode !== undefined) yield* alerts.instancesOf(open.site, open.alert);
    throw error;
  } finally {
    await spool.close();
  }
}

function sourceOf(reader: ZapXmlReader | undefined): ReportEvent {
  const { programName, version, generated, created } = reader?.root ?? {};
  const finishedAt = timeOf(created) ?? timeOf(generated);
  return {
    kind: 'source',
    source: { tool: textOf(programName) ?? 'ZAP', ...defined({ version: textOf(version), finishedAt }) },
  };
}

class AlertsOfReport {
  readonly #spool: Spool;
  readonly #intern = createRuleCache();
  readonly #sites = createSiteLedger();
  #waiting = 0;
  #alertsOfSite = 0;

  constructor(spool: Spool) {
    this.#spool = spool;
  }

  async *take(part: ZapPart): AsyncGenerator<ReportEvent> {
    if (part.kind === 'instance') {
      this.#waiting += 1;
      await this.#spool.add(part.instance);
    } else if (part.kind === 'alert') {
      this.#alertsOfSite += 1;
      if (this.#waiting === 0) yield zapFinding(part.site, part.alert, undefined, this.#intern);
      else yield* this.instancesOf(part.site, part.alert);
    } else {
      this.#sites.note(part.site, this.#alertsOfSite);
      this.#alertsOfSite = 0;
    }
  }

  async *instancesOf(site: ZapSite, alert: ZapAlert): AsyncGenerator<ReportEvent> {
    if (this.#waiting === 0) return;
    for await (const instance of this.#spool.drain()) yield zapFinding(site, alert, objectOf(instance), this.#intern);
    this.#waiting = 0;
  }

  *places(): Generator<ReportEvent> {
    for (const place of this.#sites.places()) yield { kind: 'place', place };
  }
}
