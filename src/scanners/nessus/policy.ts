import type { ReportEvent, ReportScope } from '../../model/report.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { DEFAULT_LIST, portRange, type PortRange } from './port-range.ts';

/** Elements of `<Policy>` that hold one statement each. */
const RECORDS = new Set(['preference', 'item', 'FamilyItem', 'PluginItem']);

/** A list of targets may be long; nothing else we read is. */
const MOST_CHARS = 64 << 10;
const MOST_FAMILIES = 1_000;
const RULES_PER_EVENT = 1_000;

/** Plugins that look for open ports. */
const TCP_SCANNERS = new Set(['11219', '10335']);
const UDP_SCANNERS = new Set(['34277']);

/**
 * Reads from `<Policy>` only what proves what was looked for, while it streams by: the rest is preferences, which hold
 * user names and worse, and may be most of the file.
 */
export class PolicyReader {
  readonly #emit: (event: ReportEvent) => void;
  #record: Map<string, string> | undefined;
  #child: string | undefined;
  #depth = 0;
  #recordDepth = 0;
  #preferences = new Map<string, string>();
  #families: Record<'enabled' | 'disabled' | 'mixed', string[]> = { enabled: [], disabled: [], mixed: [] };
  #rules: string[] = [];
  #rulesNotRun: string[] = [];
  #hasTcpScanner = false;
  #hasUdpScanner = false;
  #hasCredentials = false;

  constructor(emit: (event: ReportEvent) => void) {
    this.#emit = emit;
  }

  /** Names and addresses the scan was asked for, as far as the policy says; for comparison only. */
  get asked(): ReadonlySet<string> {
    return new Set(
      (this.#preferences.get('TARGET') ?? '')
        .toLowerCase()
        .split(/[\s,;]+/)
        .filter((word) => word !== ''),
    );
  }

  /** Whether passwords or keys for logins were part of the scan. */
  get hasCredentials(): boolean {
    return this.#hasCredentials;
  }

  /** Whether the range of TCP ports is known from here. */
  get saysTcpPorts(): boolean {
    return this.#ports('tcp') !== undefined;
  }

  /** Whether it is known from here that the default list of TCP ports was tried. */
  get saysDefaultList(): boolean {
    return this.#usesDefaultList('tcp');
  }

  open(name: string): void {
    this.#depth += 1;
    if (this.#record === undefined && RECORDS.has(name)) {
      this.#record = new Map();
      this.#recordDepth = this.#depth;
    } else if (this.#record && this.#depth === this.#recordDepth + 1) this.#child = name;
  }

  text(text: string): void {
    if (!this.#record || this.#child === undefined) return;
    const before = this.#record.get(this.#child) ?? '';
    if (before.length < MOST_CHARS) this.#record.set(this.#child, before + text.slice(0, MOST_CHARS));
  }

  close(name: string): void {
    if (this.#record && this.#depth === this.#recordDepth) {
      this.#judge(name, this.#record);
      this.#record = undefined;
    }
    this.#child = undefined;
    this.#depth -= 1;
  }

  /** The policy is over: says what it proves. */
  end(): void {
    this.#flushRules();
    const scope = {
      ...this.#portScope(),
      ...(this.#families.enabled.length > 0 ? { families: this.#families.enabled } : {}),
    };
    if (Object.keys(scope).length > 0) this.#emit({ kind: 'scope', scope });
    this.#emit({ kind: 'checks', lookedFor: this.#lookedFor(), notLookedFor: this.#notLookedFor() });
  }

  #judge(kind: string, record: ReadonlyMap<string, string>): void {
    const said = (name: string): string => record.get(name)?.trim() ?? '';
    if (kind === 'preference') this.#preference(said('name'), said('value'));
    else if (kind === 'item') this.#pluginPreference(said);
    else if (kind === 'FamilyItem') this.#family(said('FamilyName'), said('Status').toLowerCase());
    else this.#plugin(said('PluginId'), said('Status').toLowerCase());
  }

  #preference(name: string, value: string): void {
    if (WANTED.test(name)) this.#preferences.set(name, value);
  }

  #pluginPreference(said: (name: string) => string): void {
    const [name, type, value] = [said('preferenceName'), said('preferenceType'), said('selectedValue')];
    if (/^port(?:scan)?_range$/.test(name)) this.#preference(name, value);
    // Every policy comes with a password for anonymous FTP.
    const isSecret = type === 'password' || (type === 'file' && /private key|certificate/i.test(name));
    if (isSecret && value !== '' && !name.startsWith('FTP ')) this.#hasCredentials = true;
  }

  #family(name: string, status: string): void {
    if (name === '' || (status !== 'enabled' && status !== 'disabled' && status !== 'mixed')) return;
    const list = this.#families[status];
    if (list.length < MOST_FAMILIES) list.push(cleanLine(name, 100));
  }

  #plugin(id: string, status: string): void {
    if (!/^\d{1,10}$/.test(id)) return;
    if (status === 'enabled') {
      this.#rules.push(`nessus:${id}`);
      this.#hasTcpScanner ||= TCP_SCANNERS.has(id);
      this.#hasUdpScanner ||= UDP_SCANNERS.has(id);
    } else if (status === 'disabled') this.#rulesNotRun.push(`nessus:${id}`);
    if (this.#rules.length + this.#rulesNotRun.length >= RULES_PER_EVENT) this.#flushRules();
  }

  #flushRules(): void {
    const [rules, rulesNotRun] = [this.#rules, this.#rulesNotRun];
    this.#rules = [];
    this.#rulesNotRun = [];
    const scope = { ...(rules.length > 0 ? { rules } : {}), ...(rulesNotRun.length > 0 ? { rulesNotRun } : {}) };
    if (Object.keys(scope).length > 0) this.#emit({ kind: 'scope', scope });
  }

  #range(): PortRange | undefined {
    const text = this.#preferences.get('port_range') ?? this.#preferences.get('portscan_range');
    return text === undefined ? undefined : portRange(text);
  }

  /** A range counts only where something looked at ports. */
  #isScanned(side: 'tcp' | 'udp'): boolean {
    const names = side === 'tcp' ? ['network_scanners.syn', 'network_scanners.tcp'] : ['network_scanners.udp'];
    const said = names.flatMap((name) => this.#preferences.get(name) ?? []);
    if (said.length > 0) return said.some((value) => value.toLowerCase() === 'yes');
    return side === 'tcp' ? this.#hasTcpScanner : this.#hasUdpScanner;
  }

  #ports(side: 'tcp' | 'udp'): string | undefined {
    return this.#isScanned(side) ? this.#range()?.[side] : undefined;
  }

  #usesDefaultList(side: 'tcp' | 'udp'): boolean {
    return this.#isScanned(side) && this.#range()?.[DEFAULT_OF[side]] === true;
  }

  #portScope(): ReportScope {
    const [tcpPorts, udpPorts] = [this.#ports('tcp'), this.#ports('udp')];
    return {
      ...(tcpPorts ? { tcpPorts } : {}),
      ...(udpPorts ? { udpPorts } : {}),
      ...(this.#usesDefaultList('tcp') ? { tcpPortList: DEFAULT_LIST } : {}),
      ...(this.#usesDefaultList('udp') ? { udpPortList: DEFAULT_LIST } : {}),
    };
  }

  #lookedFor(): string[] {
    const { enabled, mixed } = this.#families;
    const said: string[] = [];
    for (const side of ['tcp', 'udp'] as const) {
      if (!this.#isScanned(side)) continue;
      const own = this.#usesDefaultList(side) ? ['the default list of Nessus'] : [];
      const ports = [...own, ...(this.#ports(side)?.split(',') ?? [])].slice(0, 20).join(', ');
      if (ports) said.push(`${side.toUpperCase()} ports: ${ports}`);
    }
    if (enabled.length > 0) said.push(`Nessus plugins: ${familiesOf(enabled)} in full`);
    if (mixed.length > 0) said.push(`Nessus plugins: ${familiesOf(mixed)} in part (${some(mixed)})`);
    return said;
  }

  #notLookedFor(): string[] {
    const { disabled } = this.#families;
    const said = disabled.length > 0 ? [`Nessus plugin families that were off: ${some(disabled)}`] : [];
    if (this.#preferences.has('network_scanners.udp') && !this.#isScanned('udp'))
      said.push('UDP ports: not part of this scan');
    return said;
  }
}

const DEFAULT_OF = { tcp: 'tcpDefault', udp: 'udpDefault' } as const;

const WANTED = /^(?:TARGET|port(?:scan)?_range|network_scanners\.(?:syn|tcp|udp))$/;

const some = (names: readonly string[]): string =>
  names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;

const familiesOf = ({ length }: readonly string[]): string => `${length} ${length === 1 ? 'family' : 'families'}`;
