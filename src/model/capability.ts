import type { Intensity } from './scan.ts';
import type { TargetKind } from './target.ts';

/** Options of a run that not every engine can honour; one it cannot is refused, never ignored. */
export const ENGINE_OPTIONS = ['ports', 'templates', 'severity_levels', 'privilege'] as const;
export type EngineOption = (typeof ENGINE_OPTIONS)[number];

/** What an engine can do, as data: checked before a scan is queued and shown by `list_scanners`. */
export interface EngineCapabilities {
  readonly engine: string;
  readonly targetKinds: readonly TargetKind[];
  readonly authenticated: boolean;
  /** True when the scan runs outside the worker and can be found again by its marker. */
  readonly adoptable: boolean;
  readonly intensities: readonly Intensity[];
  readonly options: readonly EngineOption[];
  /** Kinds of check, for agents: what a clean result would mean. */
  readonly looksFor: readonly string[];
}

/** What a probe found out about one instance. `version` is the engine's own. */
export interface ScannerHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly version?: string;
  readonly edition?: string;
  readonly canLaunch: boolean;
  /** Why it is not healthy or cannot launch, with what an operator can do. */
  readonly why?: string;
  /** Set when nothing can be started until an operator changes something: runs are refused before queueing. */
  readonly refusal?: 'no_scanner_available' | 'scanner_edition_forbids_api';
}
