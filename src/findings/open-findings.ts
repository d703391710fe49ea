import type { Database } from '../platform/sqlite.ts';

/** A findings file with its columns in memory: see layout.ts for what stands in them. */
export interface OpenFindings {
  readonly path: string;
  readonly db: Database;
  readonly engine: string;
  readonly scanId: string;
  /** Number of findings. */
  readonly count: number;
  /** How many of them the report itself took back. */
  readonly withdrawn: number;
  readonly rule: Uint32Array;
  readonly host: Uint32Array;
  readonly body: Uint32Array;
  readonly port: Int32Array;
  /** Loaded when first asked for: 16 bytes per finding. */
  readonly prints: () => Uint8Array;
  /** Loaded when first asked for. */
  readonly renamed: () => RenamedFindings;
  readonly rules: RuleColumns;
}

/** Findings with a fingerprint of their own because their report has several with the same plain one. */
export interface RenamedFindings {
  /** Places in the columns, ascending. */
  readonly at: Uint32Array;
  /** The plain fingerprint of each, `PRINT_BYTES` long. */
  readonly plain: Uint8Array;
}

export interface RuleColumns {
  readonly count: number;
  readonly severity: Uint8Array;
  readonly flags: Uint8Array;
  readonly cvss: Float64Array;
  readonly epss: Float64Array;
  readonly name: Uint32Array;
  readonly solution: Uint32Array;
}
