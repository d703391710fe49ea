import type { Readable } from 'node:stream';
import { AppError } from '../../model/errors.ts';
import type { ReportEvent, ReportSource } from '../../model/report.ts';
import { readXml } from '../../platform/xml.ts';
import type { XmlAttributes, XmlHandlers } from '../../platform/xml-reader.ts';
import { wordIn } from '../json-fields.ts';
import { createRuleCache } from '../rule-cache.ts';
import { childOf, createXmlTree, type XmlTree } from '../xml-tree.ts';
import { errorPlace, hostPlace, oldHostPlace } from './report-host.ts';
import { hostText, resultFinding } from './result.ts';

/** Of one result or host; real ones have some hundred elements. */
const ITEM_LIMITS = { nodes: 100_000, chars: 16 << 20 };
/** Addresses that are remembered, to tell an error at a scanned host from one at a host that never answered. */
const MOST_HOSTS = 200_000;
const MOST_TEXT_CHARS = 2_000;

/**
 * Reads report XML of OpenVAS and Greenbone: as GSA exports it (a `report` in a `report`), or as GMP and OMP answer
 * (`get_reports_response`, `get_results_response`). Everything complete before a cut is kept. `end` comes when the scan
 * itself was done and the report holds all results that its filter let through.
 * @throws AppError report_unreadable naming line and column
 */
export async function* parseOpenvas(report: Readable): AsyncGenerator<ReportEvent, void, undefined> {
  const tally: Tally = { reports: 0, done: 0 };
  yield* readXml<ReportEvent>(report, (emit, where) => new OpenvasReader(emit, where, tally), {
    what: 'OpenVAS report',
  });
  if (tally.reports > 0 && tally.reports === tally.done) yield { kind: 'end' };
}

interface Tally {
  reports: number;
  done: number;
}

const ROOTS: ReadonlySet<string> = new Set(['report', 'get_reports_response', 'get_results_response']);

/** Parents of the elements that are read whole; the same names elsewhere mean other things. */
const ITEMS: Readonly<Record<string, readonly string[]>> = {
  result: ['results', 'get_results_response'],
  host: ['report'],
  // Before OMP 7: the host's address, then the time as text.
  host_end: ['report'],
  error: ['errors'],
};

/** Texts of a report, by their path from the innermost `report` on. */
const TEXTS: ReadonlySet<string> = new Set([
  'name',
  'scan_run_status',
  'scan_start',
  'scan_end',
  'gmp/version',
  'omp/version',
  'filters/term',
  'result_count/full',
  'result_count/filtered',
]);

class OpenvasReader implements XmlHandlers {
  readonly #emit: (event: ReportEvent) => void;
  readonly #where: () => string;
  readonly #tally: Tally;
  readonly #path: string[] = [];
  readonly #intern = createRuleCache();
  readonly #hosts = new Set<string>();
  /** Texts of the reports around the current place, innermost last. */
  readonly #reports: Map<string, string>[] = [];
  #results = 0;
  #sawScan = false;
  #item: XmlTree | undefined;

  constructor(emit: (event: ReportEvent) => void, where: () => string, tally: Tally) {
    this.#emit = emit;
    this.#where = where;
    this.#tally = tally;
  }

  open(name: string, attributes: XmlAttributes): void {
    if (this.#item) return this.#bounded(this.#item.open(name, attributes));
    const parent = this.#path.at(-1);
    this.#path.push(name);
    if (parent === undefined) this.#begin(name, attributes);
    if (name === 'report') this.#reports.push(new Map());
    else if (parent !== undefined && wordIn(ITEMS, name)?.includes(parent)) {
      this.#item = createXmlTree(name, attributes, ITEM_LIMITS);
    }
  }

  text(text: string): void {
    if (this.#item) return this.#bounded(this.#item.text(text));
    const report = this.#reports.at(-1);
    const key = this.#path.slice(this.#path.lastIndexOf('report') + 1).join('/');
    if (report && TEXTS.has(key)) report.set(key, `${report.get(key) ?? ''}${text}`.slice(0, MOST_TEXT_CHARS));
  }

  close(name: string): void {
    if (this.#item) {
      if (this.#item.close()) this.#closeItem(this.#item);
      return;
    }
    this.#path.pop();
    if (name === 'report') this.#closeReport();
  }

  /** An export in another format wrapped in XML (a PDF in Base64) would otherwise look like a scan without results. */
  end(): void {
    if (!this.#sawScan) throw this.#wrong('no scan in it');
  }

  #begin(root: string, attributes: XmlAttributes): void {
    if (!ROOTS.has(root)) throw this.#wrong('a root element that no report of OpenVAS has');
    this.#sawScan = root === 'get_results_response';
    const status = attributes['status'];
    if (status !== undefined && !status.startsWith('2')) throw this.#wrong('the answer of a request that failed');
  }

  #closeItem({ root }: XmlTree): void {
    this.#item = undefined;
    this.#sawScan = true;
    this.#path.pop();
    if (root.name === 'result') {
      this.#results += 1;
      this.#remember(hostText(childOf(root, 'host')));
      this.#emit(resultFinding(root, this.#intern));
    } else if (root.name === 'host' || root.name === 'host_end') {
      const place = root.name === 'host' ? hostPlace(root) : oldHostPlace(root);
      if (place === undefined) return;
      this.#remember(place.place);
      this.#emit({ kind: 'place', place });
    } else {
      const host = hostText(childOf(root, 'host')).slice(0, 500);
      if (host !== '') this.#emit({ kind: 'place', place: errorPlace(host, this.#hosts.has(host)) });
    }
  }

  #remember(host: string): void {
    if (host !== '' && this.#hosts.size < MOST_HOSTS) this.#hosts.add(host);
  }

  /** The outer report of a pair only wraps: what counts stands in the one that knows the state of the scan. */
  #closeReport(): void {
    const texts = this.#reports.pop();
    const status = texts?.get('scan_run_status')?.trim();
    if (!texts || (status === undefined && !texts.has('scan_start'))) return;
    this.#emit({ kind: 'source', source: sourceOf(texts, this.#reports.at(-1)?.get('name')) });
    this.#emit({ kind: 'checks', lookedFor: ['network vulnerability tests'], notLookedFor: leftOut(texts) });
    this.#sawScan = true;
    this.#tally.reports += 1;
    if (status === 'Done' && !isPage(texts, this.#results)) this.#tally.done += 1;
    this.#results = 0;
  }

  #bounded(isWithin: boolean): void {
    if (!isWithin) throw this.#wrong('too large a result or host');
  }

  #wrong(found: string): AppError {
    return new AppError('report_unreadable', `The OpenVAS report has ${found} at ${this.#where()}.`);
  }
}

/** The filter let through more results than the report holds: it is one page of several. */
function isPage(texts: ReadonlyMap<string, string>, results: number): boolean {
  const filtered = Number(texts.get('result_count/filtered')?.trim() || Number.NaN);
  return filtered > results;
}

/** Every export has a filter; what it hides was seen by the scanner and is not in the file. */
function leftOut(texts: ReadonlyMap<string, string>): readonly string[] {
  const filter = texts.get('filters/term') ?? '';
  const [levels] = /(?<=\blevels=)[a-z]{1,10}/.exec(filter) ?? [];
  const [qod] = /(?<=\bmin_qod=)\d{1,3}/.exec(filter) ?? [];
  return [
    ...(levels === undefined || ['h', 'm', 'l', 'g'].every((level) => levels.includes(level))
      ? []
      : [`results of severities other than ${levels}: the filter of the report leaves them out`]),
    ...(qod === undefined || Number(qod) === 0
      ? []
      : [`results with a quality of detection below ${qod} %: the filter of the report leaves them out`]),
  ];
}

function sourceOf(texts: ReadonlyMap<string, string>, outerName: string | undefined): ReportSource {
  const version = (texts.get('gmp/version') ?? texts.get('omp/version'))?.trim();
  const title = (outerName ?? texts.get('name'))?.replace(/\s+/g, ' ').trim();
  const [startedAt, finishedAt] = [timeOf(texts.get('scan_start')), timeOf(texts.get('scan_end'))];
  return {
    tool: 'Greenbone (OpenVAS)',
    ...(version ? { version: `GMP ${version}` } : {}),
    ...(title ? { title } : {}),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
  };
}

/** Only times that say their zone; older versions wrote local time. */
function timeOf(text = ''): number | undefined {
  const time = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN;
  return Number.isFinite(time) ? time : undefined;
}
