import { AppError } from '../../model/errors.ts';
import type { XmlAttributes, XmlHandlers } from '../../platform/xml-reader.ts';
import { wordIn } from '../json-fields.ts';
import { createXmlTree, type XmlTree } from '../xml-tree.ts';
import type { ZapAlert, ZapInstance } from './finding.ts';
import type { ZapSite } from './sites.ts';

/** What the XML report says, in the order it says it. The instances of an alert come before it. */
export type ZapPart =
  | { readonly kind: 'instance'; readonly instance: ZapInstance }
  | { readonly kind: 'alert'; readonly site: ZapSite; readonly alert: ZapAlert }
  | { readonly kind: 'site'; readonly site: ZapSite };

/** An instance of the `-plus` report holds a whole request and response. */
const INSTANCE_LIMITS = { nodes: 1_000, chars: 16 << 20 };
/** Of one text of an alert, more than is ever shown; longer ones are cut. */
const MOST_TEXT_CHARS = 1 << 20;

const FACTS: ReadonlySet<string> = new Set(
  'pluginid alertRef alert name riskcode confidence riskdesc desc solution reference otherinfo cweid wascid'.split(' '),
);
/** Reports before ZAP 2.5 have no `<instance>`: these stand in the alert, each `<uri>` beginning a new place. */
const OF_A_PLACE: ReadonlySet<string> = new Set(['method', 'param', 'attack', 'evidence', 'otherinfo']);

/** As the JSON report calls them. */
const RENAMED: Readonly<Record<string, string>> = {
  requestheader: 'request-header',
  requestbody: 'request-body',
  responseheader: 'response-header',
  responsebody: 'response-body',
};

/** Takes the report apart while it streams by. */
export class ZapXmlReader implements XmlHandlers {
  readonly #emit: (part: ZapPart) => void;
  readonly #where: () => string;
  readonly #path: string[] = [];
  #site: ZapSite = {};
  #instance: XmlTree | undefined;
  /** Of the alert that is open. */
  #alert: Record<string, string> | undefined;
  #oldPlace: Record<string, string> | undefined;
  #text = '';
  /** Attributes of the root. */
  root: XmlAttributes = {};

  constructor(emit: (part: ZapPart) => void, where: () => string) {
    this.#emit = emit;
    this.#where = where;
  }

  /** What is known of the alert that is open, for the instances of one that was cut short. */
  get openAlert(): { readonly site: ZapSite; readonly alert: ZapAlert } | undefined {
    return this.#alert && { site: this.#site, alert: this.#alert };
  }

  open(name: string, attributes: XmlAttributes): void {
    if (this.#instance) {
      if (!this.#instance.open(name, attributes)) throw this.#wrong('too large an instance');
      return;
    }
    const parent = this.#path.at(-1);
    this.#path.push(name);
    // HTML inside a text may stand there as elements: their text belongs to it.
    if (parent === 'alertitem') this.#text = '';
    if (parent === undefined) this.#begin(name, attributes);
    else if (name === 'site')
      this.#site = { name: attributes['name'], host: attributes['host'], port: attributes['port'] };
    else if (name === 'alertitem') this.#alert = {};
    else if (name === 'instance' && this.#alert) this.#instance = createXmlTree(name, attributes, INSTANCE_LIMITS);
  }

  text(text: string): void {
    if (this.#instance) {
      if (!this.#instance.text(text)) throw this.#wrong('too large an instance');
    } else if (this.#alert && this.#text.length < MOST_TEXT_CHARS) this.#text += text;
  }

  close(name: string): void {
    if (this.#instance) {
      if (this.#instance.close()) this.#closeInstance(this.#instance);
      return;
    }
    this.#path.pop();
    if (name === 'alertitem') this.#closeAlert();
    else if (name === 'site') this.#emit({ kind: 'site', site: this.#site });
    else if (this.#alert && this.#path.at(-1) === 'alertitem') this.#closeFact(this.#alert, name);
  }

  #begin(root: string, attributes: XmlAttributes): void {
    if (root !== 'OWASPZAPReport') throw this.#wrong('a root element that is not OWASPZAPReport');
    this.root = attributes;
  }

  #closeInstance({ root }: XmlTree): void {
    this.#instance = undefined;
    this.#path.pop();
    const fields = root.children.map(({ name, text }) => [wordIn(RENAMED, name) ?? name, text.trim()]);
    this.#emit({ kind: 'instance', instance: Object.fromEntries(fields) });
  }

  #closeFact(alert: Record<string, string>, name: string): void {
    const text = this.#text.trim();
    if (name === 'uri') {
      this.#endOldPlace();
      this.#oldPlace = { uri: text };
    } else if (this.#oldPlace && OF_A_PLACE.has(name)) this.#oldPlace[name] = text;
    else if (FACTS.has(name)) alert[name] = text;
    else if (OF_A_PLACE.has(name)) this.#oldPlace = { [name]: text };
  }

  #endOldPlace(): void {
    if (this.#oldPlace) this.#emit({ kind: 'instance', instance: this.#oldPlace });
    this.#oldPlace = undefined;
  }

  #closeAlert(): void {
    const alert: ZapAlert = this.#alert ?? {};
    if ([alert.alert, alert.name, alert.pluginid].every((text) => text === undefined || text === ''))
      throw this.#wrong('an alert without a name');
    this.#endOldPlace();
    this.#alert = undefined;
    this.#emit({ kind: 'alert', site: this.#site, alert });
  }

  #wrong(found: string): AppError {
    return new AppError('report_unreadable', `The ZAP report has ${found} at ${this.#where()}.`);
  }
}
