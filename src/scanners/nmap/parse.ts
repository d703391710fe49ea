import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { AppError } from '../../model/errors.ts';
import type { ParsedFinding } from '../../model/finding.ts';
import type { ReportEvent } from '../../model/report.ts';
import { readXml } from '../../platform/xml.ts';
import type { XmlAttributes, XmlHandlers } from '../../platform/xml-reader.ts';
import { createPortAnswers, type AskedPorts } from './port-answers.ts';
import {
  isVersionDatabase,
  portChecks,
  portScope,
  protocolName,
  serviceChecks,
  versionChecks,
  type PortScope,
} from './report-checks.ts';
import { placeOf, portFinding, scriptFinding, type HostSoFar, type PortSoFar } from './report-host.ts';
import { askedPorts, createHostScopes, scopeOfDocument, type DocumentScope } from './report-scope.ts';
import { createTally, noteFinish, noteStart, sourceOf, type Tally } from './report-tally.ts';
import { createScriptBuilder, type ScriptBuilder } from './script-tree.ts';

/** The output of a script is one attribute, and some print megabytes. */
const MAX_ATTRIBUTE_CHARS = 4 << 20;

/**
 * Reads `-oX` reports of nmap 5 to 7, its own or foreign, one or several in a row, into events. Hosts that were
 * complete before a cut are kept; `end` comes only when every document says itself that nmap succeeded.
 * @param cut What a report without its end is: that of an nmap that was stopped, or no whole report.
 * @throws AppError report_unreadable naming line and column; for a cut one after everything that was whole
 */
export async function* parseNmap(
  report: Readable,
  { cut = 'stopped' }: { cut?: 'stopped' | 'unreadable' } = {},
): AsyncGenerator<ReportEvent, void, undefined> {
  const tally = createTally();
  yield* readXml<ReportEvent>(report, (emit, where) => new NmapReader(emit, where, tally), {
    what: 'nmap report',
    documents: 'many',
    attributeChars: MAX_ATTRIBUTE_CHARS,
    // What Zenmap saves.
    isLatin1Read: true,
  });
  yield* tally.scopes.events();
  yield sourceOf(tally);
  if (cut === 'unreadable' && tally.cutAt !== undefined) {
    throw new AppError('report_unreadable', `The nmap report ends in its middle at ${tally.cutAt}.`);
  }
  if (tally.documents === tally.succeeded) yield { kind: 'end' };
}

class NmapReader implements XmlHandlers {
  readonly #emit: (event: ReportEvent) => void;
  readonly #where: () => string;
  readonly #tally: Tally;
  readonly #path: string[] = [];
  #commandLine = '';
  #scopes: PortScope[] = [];
  #asked: AskedPorts | undefined;
  #documentScope: ReturnType<typeof createHostScopes> | undefined;
  #checksSaid = false;
  #sawOpenPort = false;
  #sawVersionDatabase = false;
  #servicesSaid = false;
  #isSuccess = false;
  #host: HostSoFar | undefined;
  #port: PortSoFar | undefined;
  #script: ScriptBuilder | undefined;

  constructor(emit: (event: ReportEvent) => void, where: () => string, tally: Tally) {
    this.#emit = emit;
    this.#where = where;
    this.#tally = tally;
  }

  open(name: string, attributes: XmlAttributes): void {
    const parent = this.#path.at(-1);
    this.#path.push(name);
    if (parent === undefined) return this.#begin(name, attributes);
    if (this.#script) return this.#script.open(attributes);
    if (name === 'script') this.#script = createScriptBuilder(attributes);
    else if (this.#port) openInPort(this.#port, name, attributes);
    else if (this.#host) this.#openInHost(this.#host, name, attributes);
    else if (parent === 'nmaprun' || parent === 'runstats') this.#openInRun(name, attributes);
  }

  text(text: string): void {
    this.#script?.text(text);
  }

  close(name: string): void {
    this.#path.pop();
    if (this.#script) this.#closeInScript(name);
    else if (name === 'port') this.#closePort();
    else if (name === 'host' && this.#path.length === 1) this.#closeHost(false);
  }

  end(): void {
    this.#tally.documents += 1;
    this.#tally.repeats.nextDocument();
    if (this.#isSuccess) this.#tally.succeeded += 1;
    if (this.#checksSaid && !this.#sawOpenPort) this.#emit(serviceChecks(this.#commandLine, false));
    if (this.#checksSaid) this.#emit(versionChecks(this.#commandLine, this.#sawVersionDatabase));
    this.#path.length = 0;
  }

  cut(): void {
    this.#tally.documents += 1;
    this.#tally.cutAt ??= this.#where();
    if (this.#host?.address !== undefined) this.#closeHost(true);
    if (this.#checksSaid) this.#emit(versionChecks(this.#commandLine, this.#sawVersionDatabase));
    this.#path.length = 0;
    this.#host = this.#port = this.#script = undefined;
  }

  #begin(root: string, attributes: XmlAttributes): void {
    if (root !== 'nmaprun') {
      throw new AppError(
        'report_unreadable',
        `This is no nmap report: its root element is not nmaprun at ${this.#where()}.`,
        {
          hint: 'Give the file that nmap wrote with -oX.',
        },
      );
    }
    this.#commandLine = attributes['args'] ?? '';
    noteStart(this.#tally, attributes);
    this.#scopes = [];
    this.#documentScope = undefined;
    this.#asked = undefined;
    this.#checksSaid = false;
    this.#sawOpenPort = false;
    this.#sawVersionDatabase = false;
    this.#servicesSaid = false;
    this.#isSuccess = false;
  }

  #openInRun(name: string, attributes: XmlAttributes): void {
    if (name === 'host') {
      this.#host = {
        address: undefined,
        asked: undefined,
        reverse: [],
        isUp: false,
        isOnlyListed: false,
        timedOut: attributes['timedout'] === 'true',
        answered: false,
        sawPorts: false,
        answers: createPortAnswers((this.#asked ??= askedPorts(this.#scopes, this.#commandLine))),
      };
    } else if (name === 'scaninfo' && this.#scopes.length < 16) this.#scopes.push(portScope(attributes));
    else if (name === 'finished') this.#finish(attributes);
    else if (name === 'target' && attributes['status'] === 'skipped') this.#skip(attributes['specification'] ?? '');
  }

  #finish(attributes: XmlAttributes): void {
    this.#isSuccess = (attributes['exit'] ?? 'success') === 'success';
    noteFinish(this.#tally, attributes);
  }

  #skip(specification: string): void {
    if (specification === '') return;
    this.#emit({
      kind: 'place',
      place: { place: specification.slice(0, 500), status: 'not_tested', reason: 'nmap did not accept this target.' },
    });
  }

  #openInHost(host: HostSoFar, name: string, attributes: XmlAttributes): void {
    if (name === 'status') noteStatus(host, attributes['state']);
    else if (name === 'address' && attributes['addrtype'] !== 'mac') host.address = ipAddress(attributes['addr']);
    else if (name === 'hostname') this.#name(host, attributes);
    else if (name === 'extraports') {
      host.sawPorts = true;
      const [answered, count] = [isAnswer(attributes['state']), Number(attributes['count'])];
      if (answered && count > 0) host.answered = true;
      host.answers.group(answered, count);
    } else if (name === 'extrareasons') host.answers.reason(attributes);
    else if (name === 'port') this.#port = this.#newPort(attributes);
  }

  #name(host: HostSoFar, { name, type }: XmlAttributes): void {
    if (!name) return;
    if (type === 'user' && HOST_NAME.test(name)) host.asked ??= name;
    else if (host.reverse.length < 10) host.reverse.push(name.slice(0, 253));
  }

  #closeInScript(name: string): void {
    if (name !== 'script') return this.#script?.close();
    const script = this.#script?.result();
    this.#script = undefined;
    // Results before and after the hosts (prescript, postscript) are about no host that was asked for.
    if (script && this.#host) {
      this.#sawVersionDatabase ||= isVersionDatabase(script.id);
      this.#found(scriptFinding(this.#located(this.#host), this.#port, script));
    }
  }

  #closePort(): void {
    const [host, port] = [this.#host, this.#port];
    this.#port = undefined;
    if (!host || !port) return;
    host.sawPorts = true;
    host.answered ||= isAnswer(port.state);
    host.answers.port(port.protocol, port.port, isAnswer(port.state));
    if (port.state !== 'open') return;
    this.#sawOpenPort = true;
    this.#found(portFinding(this.#located(host), port));
  }

  #found(finding: ParsedFinding): void {
    if (!this.#tally.repeats.isRepeat(finding)) this.#emit({ kind: 'finding', finding });
  }

  #closeHost(isCut: boolean): void {
    const host = this.#host;
    this.#host = undefined;
    if (!host) return;
    if (!this.#checksSaid) this.#emit(portChecks(this.#scopes));
    this.#checksSaid = true;
    if (this.#sawOpenPort && !this.#servicesSaid) {
      this.#emit(serviceChecks(this.#commandLine, true));
      this.#servicesSaid = true;
    }
    const located = this.#located(host);
    this.#emit({ kind: 'place', place: placeOf(located, isCut) });
    // Nothing is proven of a host that did not answer; it must not cost the others their common scope.
    if (!isCut && host.answered) this.#tally.scopes.note(located.address, this.#scope(host));
  }

  /** The same for every host of a document whose ports answered alike. */
  #scope(host: HostSoFar): DocumentScope | undefined {
    this.#documentScope ??= createHostScopes(scopeOfDocument(this.#scopes, this.#commandLine));
    return this.#documentScope(host.answers);
  }

  #newPort(attributes: XmlAttributes): PortSoFar {
    const text = attributes['portid'] ?? '';
    const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(port <= 65_535)) throw this.#wrong('a port that is no number from 0 to 65535');
    return { port, protocol: protocolName(attributes['protocol'] ?? 'tcp'), state: '', service: undefined, banner: '' };
  }

  #located(host: HostSoFar): HostSoFar & { address: string } {
    const { address } = host;
    if (!address) throw this.#wrong('a host without an IP address');
    return { ...host, address };
  }

  #wrong(found: string): AppError {
    return new AppError('report_unreadable', `The nmap report has ${found} at ${this.#where()}.`);
  }
}

function noteStatus(host: HostSoFar, state: string | undefined): void {
  host.isUp = state === 'up';
  host.isOnlyListed = state === 'unknown';
}

/** `open|filtered` and `closed|filtered` mean that nothing answered. */
const isAnswer = (state: string | undefined): boolean => state === 'open' || state === 'closed';

const ipAddress = (text = ''): string | undefined => (text.length <= 64 && isIP(text) !== 0 ? text : undefined);

/** A name or address as one writes it to nmap; letters of any language, but no spaces: no prose. */
const HOST_NAME = /^[\p{L}\p{N}_.:%-]{1,253}$/u;

/** nselib and nmap's own tables name services like `http-proxy`, `X11:1`, `desaf-ws/key`. */
const SERVICE_NAME = /^[\w.:/-]{1,64}$/;

function openInPort(port: PortSoFar, name: string, attributes: XmlAttributes): void {
  if (name === 'state') port.state = attributes['state'] ?? '';
  else if (name === 'service') {
    const { product, version, extrainfo, hostname, tunnel, name: service } = attributes;
    const named = service && tunnel ? `${tunnel}/${service}` : service;
    port.service = named !== undefined && SERVICE_NAME.test(named) ? named : undefined;
    const unusual = named && port.service === undefined ? [`service: ${named}`] : [];
    const words = [product, version, extrainfo && `(${extrainfo})`, hostname && `host: ${hostname}`, ...unusual];
    port.banner = words.filter(Boolean).join(' ').slice(0, 4_000);
  }
}
