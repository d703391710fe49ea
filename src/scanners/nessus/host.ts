import { isIP } from 'node:net';
import type { LoginOutcome, Place, PlaceStatus } from '../../model/coverage.ts';
import { loginReason, type LoginProblem } from '../../model/login-problem.ts';
import type { Location } from '../../model/finding.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { hostOfUrl } from '../web-place.ts';
import { LOGIN_PLUGINS, loginOutcome, loginProblem, TELLING_WORDS, type LoginSigns } from './login.ts';
import { scanFacts, type ScanFacts } from './scan-facts.ts';

export const SCAN_INFORMATION = '19506';
const PING = '10180';

/** They report on every host of the list, whether or not it said a word: scan information, DNS lookups, the route. */
const NO_EVIDENCE = new Set([SCAN_INFORMATION, '12053', '46215', '10287']);

/** Plugins whose output says something about the host as a place. */
export const TELLING: ReadonlySet<string> = new Set([SCAN_INFORMATION, PING, ...LOGIN_PLUGINS]);

const DEAD = /\bis (?:considered as )?dead\b|\bis down\b|\bdid not respond\b/i;

/** What the whole scan knows that a host needs. */
export interface ScanSoFar {
  readonly asked: ReadonlySet<string>;
  readonly hasCredentials: boolean;
  /** It was given a login, as whoever ran it knows. */
  readonly isAsked: boolean;
}

/** Names in any script, addresses, and `name[address]`; a text with spaces is a sentence. */
const HOST_NAME = /^[\p{L}\p{N}\p{M}_.:[\]%/-]{1,253}$/u;

const KEPT_TAGS = new Set([
  'Credentialed_Scan',
  'HOST_END',
  'HOST_END_TIMESTAMP',
  'HOST_START',
  'HOST_START_TIMESTAMP',
  'host-fqdn',
  'host-ip',
]);

/** One `<ReportHost>` while it streams by. */
export class HostReader {
  readonly #name: string;
  readonly #scan: ScanSoFar;
  readonly #tags = new Map<string, string>();
  readonly #logins = new Set<string>();
  readonly #loginWords = new Set<string>();
  #location: Location | undefined;
  #oddName: string | undefined;
  #facts: ScanFacts = {};
  #answered = false;
  #isDead = false;

  constructor(name: string, scan: ScanSoFar) {
    const text = name.trim();
    // Tenable Web App Scanning names what it scanned by its URL.
    this.#name = (text.includes('://') ? hostOfUrl(text)?.host : undefined) ?? text;
    this.#scan = scan;
  }

  /** A `<tag>` of `<HostProperties>`. */
  tag(name: string, value: string): void {
    if (!KEPT_TAGS.has(name)) return;
    this.#tags.set(name, value.trim().slice(0, 500));
    this.#location = undefined;
  }

  /** An item of a plugin in `TELLING` has an output. */
  item(pluginId: string, port: number | undefined, output: () => string): void {
    if (port !== undefined) this.#answered = true;
    if (!TELLING.has(pluginId)) {
      if (!NO_EVIDENCE.has(pluginId)) this.#answered = true;
      return;
    }
    if (LOGIN_PLUGINS.has(pluginId)) {
      this.#logins.add(pluginId);
      if (TELLING_WORDS[pluginId]?.test(output().slice(0, 8_000))) this.#loginWords.add(pluginId);
      this.#answered = true;
    } else if (pluginId === SCAN_INFORMATION) this.#facts = { ...this.#facts, ...scanFacts(output()) };
    else if (DEAD.test(output().slice(0, 2_000))) this.#isDead = true;
    else this.#answered = true;
  }

  get facts(): ScanFacts {
    return this.#facts;
  }

  /** What the report calls the host, when that is no name of one and its address is known. */
  get oddName(): string | undefined {
    this.#location ??= this.#locate();
    return this.#oddName;
  }

  /** Cleaned. The name of the report is what was asked for; one from DNS only when the policy asked for it. */
  get location(): Location {
    this.#location ??= this.#locate();
    return this.#location;
  }

  get place(): string {
    return this.location.host ?? this.location.ip ?? 'a host without a name';
  }

  get login(): LoginOutcome | undefined {
    return loginOutcome(this.#loginSigns());
  }

  get loginProblem(): LoginProblem | undefined {
    return loginProblem(this.#loginSigns());
  }

  #loginSigns(): LoginSigns {
    const tag = this.#tags.get('Credentialed_Scan')?.toLowerCase();
    return {
      plugins: this.#logins,
      words: this.#loginWords,
      tag: tag === 'true' ? true : tag === 'false' ? false : undefined,
      checks: this.#facts.credentialed,
      hasCredentials: this.#scan.hasCredentials,
      isAsked: this.#scan.isAsked,
    };
  }

  /** Epoch milliseconds. */
  get startedAt(): number | undefined {
    return this.#time('HOST_START');
  }

  get finishedAt(): number | undefined {
    return this.#time('HOST_END');
  }

  /** @param isCut the report ends before this host does */
  settle(isCut: boolean): Place {
    const { login, loginProblem: problem } = this;
    const [status, why] = this.#status(isCut);
    const reason = why ?? (login === undefined || problem === undefined ? undefined : loginReason(problem));
    return { place: this.place, status, ...(reason ? { reason } : {}), ...(login ? { login } : {}) };
  }

  #status(isCut: boolean): readonly [PlaceStatus, string?] {
    const answered = this.#answered || this.login === 'success' || this.login === 'partial';
    if (!answered && this.#isDead) return ['unreachable', 'Nessus got no answer from this host.'];
    const [some, none] = ['partial', 'not_tested'] as const;
    if (isCut) return [answered ? some : none, 'The report ends before this host does.'];
    if (this.#has('HOST_START') && !this.#has('HOST_END')) {
      return [answered ? some : none, 'The scan of this host did not end.'];
    }
    return answered ? ['tested'] : [none, 'The report lists the host, but nothing in it shows that the host answered.'];
  }

  #has(tag: 'HOST_START' | 'HOST_END'): boolean {
    return this.#tags.has(tag) || this.#tags.has(`${tag}_TIMESTAMP`);
  }

  #locate(): Location {
    const isAddress = isIP(this.#name) !== 0;
    const said = this.#tags.get('host-ip')?.split(/\s/)[0] ?? '';
    const fqdn = this.#tags.get('host-fqdn') ?? '';
    const ip = isIP(said) === 0 ? (isAddress ? this.#name : '') : said;
    const asked = fqdn !== '' && this.#scan.asked.has(fqdn.toLowerCase()) ? fqdn : '';
    // A name that is another address than the one that was scanned is said, so that it can be judged.
    const other = isAddress && ip !== this.#name ? this.#name : '';
    return located(isAddress ? asked || other : this.#hostName(ip), ip);
  }

  /** Empty when it is none; without an address it is all there is to judge the host by. */
  #hostName(ip: string): string {
    const isOdd = ip !== '' && this.#name !== '' && !HOST_NAME.test(this.#name);
    this.#oddName = isOdd ? this.#name : undefined;
    return isOdd ? '' : this.#name;
  }

  /** Seconds where Nessus gives them; else its text, which names no time zone, as a rule, and is taken for UTC. */
  #time(tag: 'HOST_START' | 'HOST_END'): number | undefined {
    const seconds = this.#tags.get(`${tag}_TIMESTAMP`) ?? '';
    if (/^\d{9,11}$/.test(seconds)) return Number(seconds) * 1_000;
    const text = this.#tags.get(tag) ?? '';
    const isDate = /^\w{3} \w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d \d{4}$/.test(text);
    const time = isDate ? Date.parse(`${text} UTC`) : isoTime(text);
    return Number.isNaN(time) ? undefined : time;
  }
}

/** As Tenable Web App Scanning writes times: with their zone. */
const isoTime = (text: string): number =>
  /^\d{4}-\d\d-\d\dT[\d:.]{8,30}(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;

/** Empty texts say nothing. */
function located(host: string, ip: string): Location {
  const location: Location = {};
  if (host !== '') location.host = cleanLine(host, 253);
  if (ip !== '') location.ip = cleanLine(ip, 64);
  return location;
}
