import type { Writable } from 'node:stream';
import type { Artefact, ScanRecord } from '../model/scan.ts';

export interface StoredReport {
  readonly artefact: Artefact;
  /** The engine wrote more than the cap. */
  readonly cutOff: boolean;
}

/** A raw report being written. */
export interface ReportSink {
  readonly writable: Writable;
  /**
   * Resolves once everything is on disk, however the run ended.
   * @throws AppError storage_full
   */
  close(): Promise<StoredReport>;
}

/** The folder of a scan that has no record yet. */
export interface ClaimedFolder {
  /** Call it once the record is durable: from then on the record keeps the files. */
  release(): Promise<void>;
  /** Removes everything. */
  discard(): Promise<void>;
}

/** Epochs of the attempts that records refer to, by scan id; asked of the scans that may be swept. */
export type ReferencedAttempts = (scanIds: readonly string[]) => Promise<ReadonlyMap<string, ReadonlySet<number>>>;

/**
 * Runs `body` while the files at these paths are on this machine, whole; what is not there is fetched first. Paths are
 * those that `ScanFiles` gives; others, and empty ones, are left as they are.
 * @throws AppError storage_unavailable, storage_unusable, storage_full, and what `body` throws
 */
export type WhilePresent = <T>(paths: readonly string[], body: () => Promise<T>) => Promise<T>;

/**
 * The files of scans: `<folder>/<scan id>/<epoch>/…`. Nothing is ever overwritten: each attempt has its own folder.
 * What an attempt writes lies on its own machine until it is shared. Every implementation passes
 * test/contracts/scan-files-contract.ts.
 */
export interface ScanFiles {
  /** On this machine; made when it is not there. */
  attemptFolder(scanId: string, epoch: number): Promise<string>;
  /**
   * Keeps sweeps away from a scan's folder as long as this process lives, before there is a record that would. What a
   * killed process had claimed is swept.
   * @throws AppError storage_full, also when less than `bytes` and the reserve are free
   */
  claim(scanId: string, bytes: number): Promise<ClaimedFolder>;
  /**
   * @param maxBytes Of what is kept.
   * @param secrets Never reach the disk, however the report spells them (`secretForms`): they are masked on the way, and
   *   what is hashed is what is kept.
   */
  openReport(scanId: string, epoch: number, maxBytes: number, secrets?: readonly string[]): Promise<ReportSink>;
  /**
   * Makes what an attempt wrote readable for every process that shares this store. To be called before the record names
   * it; called again after a failure, it goes on. Files keep their content, not their path.
   * @throws AppError storage_unavailable, storage_full, storage_unusable; the reason of `signal`
   */
  share(scanId: string, artefacts: readonly Artefact[], signal: AbortSignal): Promise<void>;
  /**
   * Path of an artefact that a record names. The file may have to be fetched: read it inside `whilePresent`. What this
   * process wrote and has not shared yet is there.
   * @throws AppError storage_unusable for a record that names no file of its scan
   */
  pathOf(scanId: string, artefact: Artefact): string;
  /** The findings file a finished scan refers to, as `pathOf` gives it; undefined when it has none. */
  findingsOf(scan: ScanRecord): string | undefined;
  readonly whilePresent: WhilePresent;
  /** Removes everything of these scans, for which there are no records any more. */
  removeScans(scanIds: readonly string[]): Promise<void>;
  /** Asks the store for an answer. @throws AppError storage_unavailable, storage_unusable */
  check(): Promise<void>;
  /** Removes attempt folders nothing refers to and nobody has claimed; returns how many. */
  sweep(referenced: ReferencedAttempts): Promise<number>;
  /** The same for folders that killed processes had claimed, and for no others: cheap, however many scans there are. */
  sweepAbandoned(referenced: ReferencedAttempts): Promise<number>;
}
