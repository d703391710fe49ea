import type { Readable } from 'node:stream';
import { Occurrence } from '../../model/finding.ts';
import type { RuleFacts } from '../../model/finding.ts';
import type { ReportEvent } from '../../model/report.ts';
import { beginning } from '../../platform/first-byte.ts';
import { readJsonLines } from '../../platform/json-lines.ts';
import { readJson } from '../../platform/json-stream.ts';
import { defined, isObject, objectOf, textOf, textsOf, timeOf, type JsonObject } from '../json-fields.ts';
import { jsonHead } from '../json-head.ts';
import type { ReportFormat } from '../report-format.ts';
import { createRuleCache } from '../rule-cache.ts';
import { sameJson } from '../same-json.ts';
import { readItem, type ItemPlace } from '../unreadable-item.ts';
import { withoutLogin } from '../web-place.ts';
import { beginsMessage, fromFirstResult, isMessage, isStatistics } from './line.ts';
import { nucleiPlace } from './place.ts';
import { nucleiRule } from './rule.ts';

const WHAT = 'nuclei report';
const OPEN_BRACKET = 0x5b;
const WORD_N = 0x6e;
const MAX_TEMPLATES = 20_000;
/** `untrusted.output` holds what came out first, and only then what was sent. */
const MAX_REQUEST = 2_000;

/** A report holds matches alone: what else was tried, and where, is known to whoever started nuclei. */
const NUCLEI_CHECKS: ReportEvent = {
  kind: 'checks',
  lookedFor: [],
  notLookedFor: ['which templates ran without a match, and on which hosts: the report does not say'],
};

/** Keys beside the id of the template; its whole text (`template-encoded`) may come before the result itself. */
const SIGNS = ['info', 'matched-at', 'matched', 'type', 'template-path', 'template-encoded'];

/** Results of nuclei 2 and 3, as JSON lines (`-jsonl`, `-json`) or as one list (`-json-export`). */
export const nucleiFormat: ReportFormat = {
  name: 'nuclei',
  engine: 'nuclei',
  detect(head) {
    const shape = jsonHead(fromFirstResult(head));
    if (!shape) return false;
    const prefix = shape.root === 'list' ? '[].' : '';
    const has = (key: string): boolean => shape.paths.has(`${prefix}${key}`);
    if (!has('template-id') && !has('templateID')) return false;
    return SIGNS.some(has);
  },
  parse: parseNuclei,
};

/**
 * One finding per line or element. Lines with `matcher-status: false` and of `-stats-json` are none. An empty file is
 * what nuclei leaves when nothing matched: no finding, and no word about what was looked at. Lines have no end mark, so
 * only a list says that the engine was done.
 * @throws AppError report_unreadable naming line or item, and byte
 */
export async function* parseNuclei(report: Readable): AsyncGenerator<ReportEvent, void, undefined> {
  const { first, second, all } = await beginning(report);
  const reader = new NucleiReader();
  if ((first === OPEN_BRACKET && !beginsMessage(second)) || first === WORD_N) {
    for await (const part of readJson(all, { each: { take: 'result' } }, { what: WHAT })) {
      const event = part.kind === 'value' ? reader.event(part.value, part) : null;
      if (event !== null) yield event;
    }
    yield* reader.source();
    yield { kind: 'end' };
    return;
  }
  for await (const lines of first === undefined ? [] : readJsonLines(all, { what: WHAT, isMessage })) {
    for (const { value, line, offset } of lines) {
      const event = reader.event(value, { name: 'line', index: line - 1, offset });
      if (event !== null) yield event;
    }
  }
  if (first === undefined) await all.return();
  yield* reader.source();
}

class NucleiReader {
  readonly #intern = createRuleCache();
  /** The last facts of a template: results of one template follow each other with the same ones. */
  readonly #known = new Map<string, { readonly type: unknown; readonly info: unknown; readonly rule: RuleFacts }>();
  #firstAt: unknown;
  #lastAt: unknown;

  /** Null for a line that is no finding. */
  event(value: unknown, place: ItemPlace): ReportEvent | null {
    return readItem(WHAT, place, () => this.#read(value));
  }

  *source(): Generator<ReportEvent> {
    yield NUCLEI_CHECKS;
    const times = defined({ startedAt: timeOf(this.#firstAt), finishedAt: timeOf(this.#lastAt) });
    yield { kind: 'source', source: { tool: 'nuclei', ...times } };
  }

  #read(result: unknown): ReportEvent | null | undefined {
    if (!isObject(result)) return undefined;
    const templateId = templateIdOf(result);
    if (templateId === undefined) return isStatistics((key) => result[key] !== undefined) ? null : undefined;
    if (result['matcher-status'] === false) return null;
    this.#firstAt ??= result['timestamp'];
    this.#lastAt = result['timestamp'] ?? this.#lastAt;
    return { kind: 'occurrence', rule: this.#rule(templateId, result), occurrence: occurrenceOf(result) };
  }

  #rule(templateId: string, result: JsonObject): RuleFacts {
    // Version 1 and the first of 2 had the facts of the template on the result itself.
    const info = result['info'] ?? {
      name: result['name'],
      severity: result['severity'],
      description: result['description'],
    };
    const type = result['type'];
    const known = this.#known.get(templateId);
    if (known && known.type === type && sameJson(known.info, info)) return known.rule;
    const rule = this.#intern(nucleiRule(templateId, textOf(type), objectOf(info)));
    if (this.#known.size >= MAX_TEMPLATES) this.#known.clear();
    this.#known.set(templateId, { type, info, rule });
    return rule;
  }
}

function templateIdOf(result: JsonObject): string | undefined {
  const id = textOf(result['template-id']) ?? textOf(result['templateID']);
  if (id !== undefined) return id;
  return textOf(result['template'])
    ?.slice(0, 2_000)
    .replace(/^.*[/\\]|\.ya?ml$/g, '');
}

function occurrenceOf(result: JsonObject): Occurrence {
  const names = [
    result['matcher-name'] ?? result['matcher_name'],
    result['extractor-name'] ?? result['extractor_name'],
  ];
  const discriminator = names.flatMap((name) => textOf(name) ?? []).join('/');
  return Occurrence.parse({
    location: nucleiPlace(result),
    untrusted: defined({ output: outputOf(result, discriminator), response: textOf(result['response']) }),
    ...(discriminator === '' ? {} : { discriminator }),
  });
}

const MOST_VALUES = 20;
const IS_SECRET = /pass|pwd|secret|token|key/i;

/** Which of its payloads a template got in with: that a login worked is the finding, the password is not for everybody. */
const payloadOf = (meta: JsonObject): string =>
  Object.entries(meta)
    .slice(0, MOST_VALUES)
    .flatMap(([name, value]) => {
      const text = textOf(value);
      return text === undefined ? [] : [`${name}=${IS_SECRET.test(name) ? '***' : text}`];
    })
    .join(', ');

/** What matched, what was extracted, who called back, what was sent. `curl-command` is left out: it repeats logins. */
function outputOf(result: JsonObject, matcher: string): string | undefined {
  const request = textOf(result['request']);
  const interaction = objectOf(result['interaction']);
  const protocol = textOf(interaction['protocol']);
  const lines = textsOf(result['extracted-results'] ?? result['extracted_results'], 1_000);
  const payload = payloadOf(objectOf(result['meta']));
  if (payload !== '') lines.unshift(`payload: ${payload}`);
  if (matcher !== '') lines.unshift(`matched: ${matcher}`);
  if (protocol !== undefined)
    lines.push(`interaction: ${protocol} from ${textOf(interaction['remote-address']) ?? '?'}`);
  if (request !== undefined) lines.push(`request: ${withoutLogin(request.slice(0, MAX_REQUEST))}`);
  return lines.length === 0 ? undefined : lines.join('\n');
}
