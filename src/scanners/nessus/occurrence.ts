import { UNTRUSTED_CAPS, type Location, type Occurrence } from '../../model/finding.ts';
import { cleanLine, cleanPlainUntrusted, cleanUntrusted } from '../../model/untrusted.ts';
import { CHILD, first, isCompliance, type RawItem } from './raw-item.ts';

/** Where one item is, besides its host. */
export interface ItemPlace {
  /** 1 to 65535; absent for items about the host as a whole (port 0). */
  readonly port?: number;
  readonly protocol?: string;
  readonly service?: string;
  /** A service name that is none: the target may have chosen it. */
  readonly oddService?: string;
}

/** What an item holds that is other on every host. */
export interface HostWords {
  readonly output?: string;
  /** True: the output is nothing but printable ASCII, tab and newline. */
  readonly isPlain?: boolean;
  readonly compliance?: NonNullable<Occurrence['compliance']>;
}

/** Fields are set one by one: V8 gives what begins with a spread a shape of its own, and every look at it would miss. */
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Names of services as Nessus writes them: `www`, `rpc-nfs_acl`, `shell?` (a guess). */
const SERVICE = /^[\w.:/?-]{1,64}$/;

/** @returns undefined for a port that is none */
export function itemPlace(attributes: RawItem['attributes']): ItemPlace | undefined {
  const { port = '0', svc_name: service = '', protocol = '' } = attributes;
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) return undefined;
  const place: Writable<ItemPlace> = {};
  if (Number(port) > 0) place.port = Number(port);
  if (protocol !== '') place.protocol = cleanLine(protocol.toLowerCase(), 16);
  if (SERVICE.test(service)) {
    if (service !== 'general') place.service = service;
  } else if (service !== '') place.oddService = service;
  return place;
}

/** What an audit compares: Nessus repeats it in the description, which is left out therefore. */
const AUDIT_WORDS = [CHILD.plugin_output, CHILD['compliance-actual-value'], CHILD['compliance-error']];

/** @param text the first text of a child of the item */
export function hostWords(
  text: (child: number) => string | undefined,
  isAudit: boolean,
  compliance: HostWords['compliance'],
): HostWords {
  const said = isAudit
    ? AUDIT_WORDS.map(text)
        .filter((words) => words !== undefined && words !== '')
        .join('\n')
    : (text(CHILD.plugin_output) ?? '');
  const words: Writable<HostWords> = {};
  if (said !== '') words.output = said;
  if (compliance) words.compliance = compliance;
  return words;
}

const NO_WORDS: HostWords = {};

/** Nearly all items: no audit, and one output or none. */
export const outputWords = (output: string | undefined, isPlain: boolean): HostWords =>
  output ? { output, isPlain } : NO_WORDS;

export function hostWordsOf(item: RawItem): HostWords {
  const compliance = complianceOf(first(item, CHILD['compliance-result']));
  const isAudit = isCompliance(item);
  if (!isAudit && compliance === undefined) return outputWords(first(item, CHILD.plugin_output), item.isPlain ?? false);
  return hostWords((child) => first(item, child), isAudit, compliance);
}

export function complianceOf(result: string | undefined): HostWords['compliance'] {
  switch (result?.trim().toUpperCase()) {
    case 'PASSED':
      return 'passed';
    case 'FAILED':
      return 'failed';
    case 'WARNING':
      return 'warning';
    case 'ERROR':
      return 'error';
    default:
      return undefined;
  }
}

/**
 * Equal to what `Occurrence.parse` makes of the same words, without the walk through the schema: there are as many of
 * these as findings. `host` must be clean already.
 * @param oddName what the report calls the host, when that is no name
 */
export function occurrenceOf(host: Location, place: ItemPlace, words: HostWords, oddName?: string): Occurrence {
  const location = locationOf(host, place);
  const { oddService } = place;
  const { output, compliance } = words;
  const clean = words.isPlain ? cleanPlainUntrusted : cleanUntrusted;
  const untrusted: Occurrence['untrusted'] =
    output === undefined ? {} : { output: clean(output, UNTRUSTED_CAPS.output) };
  if (oddService !== undefined || oddName !== undefined) {
    const lines = [oddService && `service: ${oddService}`, oddName && `host name: ${oddName}`];
    untrusted.banner = cleanUntrusted(lines.filter(Boolean).join('\n'), UNTRUSTED_CAPS.banner);
  }
  return compliance === undefined ? { location, untrusted } : { location, untrusted, compliance };
}

/** Set one by one: objects made of parts of others cost several times as much. */
function locationOf({ host, ip }: Location, { port, protocol, service }: ItemPlace): Location {
  const location: Location = {};
  if (host !== undefined) location.host = host;
  if (ip !== undefined) location.ip = ip;
  if (port !== undefined) location.port = port;
  if (protocol !== undefined) location.protocol = protocol;
  if (service !== undefined) location.service = service;
  return location;
}
