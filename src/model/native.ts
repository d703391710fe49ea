import { z } from 'zod';
import { Coverage, Place, Verdict } from './coverage.ts';
import { ParsedFinding } from './finding.ts';
import type { ReportScope } from './report.ts';
import { ScanOrigin, ScanState } from './scan.ts';
import { lineText } from './untrusted.ts';

/**
 * scanmux's own findings file, one JSON object per line (`jsonl`): a header, then places, scopes and findings in any
 * order, then the end. What one line says is all there is to say of that finding, so that a line can be cut out and read
 * alone. Raise the version when a reader that does not know a key would read something wrong.
 */
export const NATIVE_VERSION = 1;
/** UTF-8, without the newline. Longer lines are refused. */
export const NATIVE_MAX_LINE_BYTES = 8 << 20;

const Time = z.iso.datetime().describe('ISO 8601, UTC.');

/** The scan that the findings are of. */
export const NativeScan = z.strictObject({
  scan_id: lineText(100),
  name: lineText(300).optional(),
  origin: ScanOrigin,
  state: ScanState,
  verdict: Verdict,
  access: z.enum(['untrusted', 'authenticated']),
  targets: z.array(lineText(500)),
  created_at: Time,
  started_at: Time.optional(),
  finished_at: Time.optional(),
});

export const NativeHeader = z.strictObject({
  scanmux: z.literal('findings'),
  version: z.literal(NATIVE_VERSION),
  /** All findings are of this engine: it is part of their fingerprints. */
  engine: z.string().regex(/^[a-z][a-z0-9_-]{0,63}$/),
  scan: NativeScan,
  /** Of the whole scan, whatever the filters left out. Its counts can be counted again from the place lines. */
  coverage: Coverage,
  /** Who made the report that the findings were read from, as far as it said. */
  source: z
    .strictObject({
      tool: lineText(200).optional(),
      version: lineText(100).optional(),
      title: lineText(300).optional(),
    })
    .optional(),
  /** The engine itself said that it was done; false for a scan that was cut short. */
  whole: z.boolean(),
  /** The filters this file was written with, in words. Empty: every finding of the scan is in it. */
  filtered: z.array(lineText(300)).max(50),
});
export type NativeHeader = z.infer<typeof NativeHeader>;

/**
 * One finding with every public key. The last five are what scanmux adds and works out anew on import; a judgement
 * (`suppression`) is for readers of the file, an import takes none over: who may judge is decided where it is read.
 */
export const NativeFindingLine = z.strictObject({
  ...ParsedFinding.shape,
  finding_id: lineText(100).optional(),
  fingerprint: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .optional(),
  engine: lineText(64).optional(),
  injection_signals: z.array(lineText(100)).max(100).optional(),
  suppression: z
    .strictObject({
      status: z.enum(['false_positive', 'accepted_risk', 'mitigated']),
      reason: lineText(2_000),
      expires_at: lineText(40),
    })
    .optional(),
});
export type NativeFindingLine = z.infer<typeof NativeFindingLine>;

export const NativePlaceLine = z.strictObject({ place: Place });

/** Long enough to name every second port by itself. */
const Ports = z
  .string()
  .max(200_000)
  .regex(/^(all|[\d,-]*)$/)
  .optional();
const RuleNames = z.array(lineText(200)).max(200_000).optional();

/** `ReportScope` as it is written. */
export const NativeScopeLine = z.strictObject({
  scope: z.strictObject({
    place: lineText(500).optional(),
    tcp_ports: Ports,
    udp_ports: Ports,
    tcp_port_list: lineText(100).optional(),
    udp_port_list: lineText(100).optional(),
    ports_answered: z.boolean().optional(),
    families: RuleNames,
    rules: RuleNames,
    rules_not_run: RuleNames,
    reports_more: z.boolean().optional(),
    rules_as_of: Time.optional(),
  }),
});
export type NativeScopeLine = z.infer<typeof NativeScopeLine>;

/** The last line; without it the file was cut. `findings` counts the finding lines. */
export const NativeEndLine = z.strictObject({ end: z.literal(true), findings: z.int().min(0) });

export const scopeLine = (scope: ReportScope): NativeScopeLine => ({
  scope: {
    place: scope.place,
    tcp_ports: scope.tcpPorts,
    udp_ports: scope.udpPorts,
    tcp_port_list: scope.tcpPortList,
    udp_port_list: scope.udpPortList,
    ports_answered: scope.portsAnswered,
    families: scope.families && [...scope.families],
    rules: scope.rules && [...scope.rules],
    rules_not_run: scope.rulesNotRun && [...scope.rulesNotRun],
    reports_more: scope.reportsMore,
    rules_as_of: scope.rulesAsOf,
  },
});

export const scopeOf = ({ scope }: NativeScopeLine): ReportScope => ({
  ...(scope.place !== undefined && { place: scope.place }),
  ...(scope.tcp_ports !== undefined && { tcpPorts: scope.tcp_ports }),
  ...(scope.udp_ports !== undefined && { udpPorts: scope.udp_ports }),
  ...(scope.tcp_port_list !== undefined && { tcpPortList: scope.tcp_port_list }),
  ...(scope.udp_port_list !== undefined && { udpPortList: scope.udp_port_list }),
  ...(scope.ports_answered !== undefined && { portsAnswered: scope.ports_answered }),
  ...(scope.families !== undefined && { families: scope.families }),
  ...(scope.rules !== undefined && { rules: scope.rules }),
  ...(scope.rules_not_run !== undefined && { rulesNotRun: scope.rules_not_run }),
  ...(scope.reports_more !== undefined && { reportsMore: scope.reports_more }),
  ...(scope.rules_as_of !== undefined && { rulesAsOf: scope.rules_as_of }),
});
