import { AppError } from '../../model/errors.ts';
import type { Occurrence, RuleFacts } from '../../model/finding.ts';
import type { ReportEvent } from '../../model/report.ts';
import { cleanLine } from '../../model/untrusted.ts';
import type { XmlAttributes, XmlHandlers } from '../../platform/xml-reader.ts';
import { HostReader, SCAN_INFORMATION } from './host.ts';
import { hostWordsOf, itemPlace, occurrenceOf } from './occurrence.ts';
import type { HostWords, ItemPlace } from './occurrence.ts';
import { PolicyReader } from './policy.ts';
import { DEFAULT_LIST, portRange } from './port-range.ts';
import { addText, childOf, noChildren, type ItemAttributes, type ItemChildren, type RawItem } from './raw-item.ts';
import { ruleOf } from './rule.ts';

const ROOT = 'NessusClientData_v2';

/** Of one item, over all its texts; the largest real one known is 300 KB. */
const MAX_ITEM_CHARS = 8 << 20;
const MAX_ITEM_VALUES = 20_000;
/** Of a property of a host; what we read is shorter. */
export const MAX_TAG_CHARS = 1_000;

/** Hosts that may each say that the default ports were tried: with too many scopes, none of a report would count. */
const MOST_HOST_LISTS = 50_000;

/** An item whose children stream by. */
interface OpenItem {
  readonly attributes: ItemAttributes;
  readonly children: ItemChildren;
  chars: number;
  values: number;
}

/** Where the XML parser is. */
interface Source {
  /** For messages. */
  where(): string;
  /** Characters read. */
  position(): number;
  /** The scan was to log in. */
  readonly isAsked: boolean;
}

/** What a closing tag changed, to be taken back if it turns out that it closed something else. */
interface LastClose {
  readonly position: number;
  readonly events: number;
  readonly host: HostReader | undefined;
}

/** Hears the elements of one report and says what they mean. */
export class NessusReader implements XmlHandlers {
  readonly #events: ReportEvent[];
  readonly #emit = (event: ReportEvent): void => void this.#events.push(event);
  readonly #source: Source;
  readonly #path: string[] = [];
  #policy: PolicyReader | undefined;
  #asked: ReadonlySet<string> = new Set();
  #hasCredentials = false;
  #saysTcpPorts = false;
  #saysDefaultList = false;
  #hostLists = 0;
  #host: HostReader | undefined;
  #tag: { readonly name: string; text: string } | undefined;
  #item: OpenItem | undefined;
  /** The child of the item that is open, if it is one we read. */
  #child: { readonly child: number; text: string } | undefined;
  #saidVersion = false;
  #hosts = 0;
  #loggedIn = 0;
  #startedAt = Infinity;
  #finishedAt = -Infinity;
  #lastClose: LastClose | undefined;
  /** Tags that were opened or closed so far: how a caller learns that a tag just ended. */
  tags = 0;

  /** @param events where events are added */
  constructor(events: ReportEvent[], source: Source) {
    this.#events = events;
    this.#source = source;
  }

  /** The host whose items may come next: nothing inside it is open. */
  get openHost(): HostReader | undefined {
    return this.#path.length === 3 ? this.#host : undefined;
  }

  /** The host whose properties may come next: nothing inside them is open. */
  get openProperties(): HostReader | undefined {
    return this.#path.length === 4 && this.#path[3] === 'HostProperties' && !this.#item ? this.#host : undefined;
  }

  open(name: string, attributes: XmlAttributes): void {
    this.tags += 1;
    const depth = this.#path.push(name);
    if (depth === 1) this.#begin(name);
    else if (this.#policy) this.#policy.open(name);
    else if (this.#item) this.#openInItem(name, depth);
    else if (this.#host) this.#openInHost(name, attributes, depth);
    else if (depth === 2) this.#openPart(name, attributes);
    else if (depth === 3 && name === 'ReportHost' && this.#path[1] === 'Report') this.#openHost(attributes);
  }

  text(text: string): void {
    if (this.#item) this.#textInItem(this.#item, text);
    else if (this.#policy) this.#policy.text(text);
    else if (this.#tag && this.#tag.text.length < MAX_TAG_CHARS) this.#tag.text += text.slice(0, MAX_TAG_CHARS);
  }

  /** Attachments, in the middle of an item, are pictures and archives. */
  isTextUnread(): boolean {
    return this.#item !== undefined && this.#child === undefined;
  }

  close(name: string): void {
    this.tags += 1;
    const depth = this.#path.length;
    this.#path.pop();
    this.#lastClose = { position: this.#source.position(), events: this.#events.length, host: this.#host };
    if (this.#policy) this.#closeInPolicy(name, depth);
    else if (this.#item) this.#closeInItem(depth);
    else if (this.#tag && depth === 5) this.#closeTag(this.#tag);
    else if (depth === 3 && this.#host) this.#closeHost(false);
  }

  end(): void {
    this.#sayTimes();
    if (this.#hosts > 0 && this.#loggedIn < this.#hosts) {
      const text = `authenticated checks: a login worked on ${this.#loggedIn} of ${this.#hosts} hosts`;
      this.#emit({ kind: 'checks', lookedFor: [], notLookedFor: [text] });
    }
    this.#emit({ kind: 'end' });
  }

  /** All that was heard so far stands. */
  settle(): void {
    this.#lastClose = undefined;
  }

  /**
   * The report cannot be read on: the host in the middle of which that happened was not seen whole. The XML parser says
   * that a tag closes before it says that another one should have: then nothing was closed.
   */
  abandon(): void {
    const last = this.#lastClose;
    if (last?.position === this.#source.position()) {
      this.#events.length = last.events;
      this.#host = last.host;
    }
    if (this.#host) this.#closeHost(true);
    this.#sayTimes();
  }

  /** A complete item of the open host, in the parts it is said in. */
  found(host: HostReader, rule: RuleFacts, pluginId: string, place: ItemPlace, words: HostWords): void {
    host.item(pluginId, place.port, () => words.output ?? '');
    const occurrence: Occurrence = occurrenceOf(host.location, place, words, host.oddName);
    this.#emit({ kind: 'occurrence', rule, occurrence, isRuleTested: true });
    if (pluginId === SCAN_INFORMATION) this.#sayVersion(host);
  }

  #begin(root: string): void {
    if (root === ROOT) return;
    const isFirst = root === 'NessusClientData';
    throw new AppError(
      'report_unreadable',
      isFirst
        ? `This is a report of the old .nessus format, version 1, at ${this.#source.where()}.`
        : `This is no .nessus report: its root element is not ${ROOT} at ${this.#source.where()}.`,
      { hint: 'Export the scan from Nessus in the format "Nessus" (.nessus, version 2).' },
    );
  }

  #openPart(name: string, attributes: XmlAttributes): void {
    if (name === 'Policy') this.#policy = new PolicyReader(this.#emit);
    if (name !== 'Report') return;
    const title = cleanLine(attributes['name'] ?? '', 300);
    this.#emit({ kind: 'source', source: { tool: 'Nessus', ...(title === '' ? {} : { title }) } });
  }

  #openHost(attributes: XmlAttributes): void {
    this.#host = new HostReader(attributes['name'] ?? '', {
      asked: this.#asked,
      hasCredentials: this.#hasCredentials,
      isAsked: this.#source.isAsked,
    });
  }

  #openInHost(name: string, attributes: XmlAttributes, depth: number): void {
    if (depth === 4 && name === 'ReportItem') {
      this.#item = { attributes, children: noChildren(), chars: 0, values: 0 };
    } else if (depth === 5 && name === 'tag' && this.#path[3] === 'HostProperties') {
      this.#tag = { name: attributes['name'] ?? '', text: '' };
    }
  }

  #openInItem(name: string, depth: number): void {
    const item = this.#item;
    if (!item || depth !== 5) return;
    const child = childOf(name);
    this.#child = child === undefined ? undefined : { child, text: '' };
    if (child === undefined) return;
    item.values += 1;
    if (item.values > MAX_ITEM_VALUES) throw this.#wrong('an item with too many values');
  }

  #textInItem(item: OpenItem, text: string): void {
    const child = this.#child;
    if (!child) return;
    item.chars += text.length;
    if (item.chars > MAX_ITEM_CHARS) throw this.#wrong('too long an item');
    child.text += text;
  }

  #closeInItem(depth: number): void {
    const [item, host, child] = [this.#item, this.#host, this.#child];
    if (depth === 5 && item && child) addText(item.children, child.child, child.text);
    if (depth === 5) this.#child = undefined;
    if (depth !== 4 || !item || !host) return;
    this.#item = undefined;
    const place = itemPlace(item.attributes);
    if (!place) throw this.#wrong('a port that is no number from 0 to 65535');
    const raw: RawItem = item;
    this.found(host, ruleOf(raw), (raw.attributes['pluginID'] ?? '').trim(), place, hostWordsOf(raw));
  }

  #closeInPolicy(name: string, depth: number): void {
    if (depth > 2) return this.#policy?.close(name);
    const policy = this.#policy;
    this.#policy = undefined;
    if (!policy) return;
    policy.end();
    this.#asked = policy.asked;
    this.#hasCredentials ||= policy.hasCredentials;
    this.#saysTcpPorts ||= policy.saysTcpPorts;
    this.#saysDefaultList ||= policy.saysDefaultList;
  }

  #closeTag({ name, text }: { name: string; text: string }): void {
    this.#tag = undefined;
    this.#host?.tag(name, text);
  }

  #closeHost(isCut: boolean): void {
    const host = this.#host;
    this.#host = this.#item = this.#tag = this.#child = undefined;
    if (!host) return;
    const place = host.settle(isCut);
    this.#hosts += 1;
    if (place.login === 'success' || place.login === 'partial') this.#loggedIn += 1;
    this.#startedAt = Math.min(this.#startedAt, host.startedAt ?? Infinity);
    this.#finishedAt = Math.max(this.#finishedAt, host.finishedAt ?? -Infinity);
    this.#sayPorts(host);
    this.#emit({ kind: 'place', place });
    const problem = host.loginProblem;
    if (problem) this.#emit({ kind: 'login_problem', problem });
  }

  /** What the host itself says of its ports, where the policy does not. */
  #sayPorts(host: HostReader): void {
    const range = this.#saysTcpPorts ? undefined : portRange(host.facts.portRange ?? '');
    if (!range) return;
    const isList = range.tcpDefault && !this.#saysDefaultList && this.#hostLists < MOST_HOST_LISTS;
    if (isList) this.#hostLists += 1;
    const scope = { ...(range.tcp ? { tcpPorts: range.tcp } : {}), ...(isList ? { tcpPortList: DEFAULT_LIST } : {}) };
    if (Object.keys(scope).length > 0) this.#emit({ kind: 'scope', scope: { place: host.place, ...scope } });
  }

  #sayVersion(host: HostReader): void {
    const { version, pluginFeed } = host.facts;
    if (this.#saidVersion || version === undefined) return;
    this.#saidVersion = true;
    const feed = pluginFeed ? `, plugins ${pluginFeed}` : '';
    this.#emit({ kind: 'source', source: { tool: 'Nessus', version: `${version}${feed}` } });
  }

  #sayTimes(): void {
    const source = {
      ...(Number.isFinite(this.#startedAt) ? { startedAt: this.#startedAt } : {}),
      ...(Number.isFinite(this.#finishedAt) ? { finishedAt: this.#finishedAt } : {}),
    };
    if (Object.keys(source).length > 0) this.#emit({ kind: 'source', source });
  }

  #wrong(found: string): AppError {
    return new AppError('report_unreadable', `The Nessus report has ${found} at ${this.#source.where()}.`);
  }
}
