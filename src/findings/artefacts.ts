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

/** The files of scans: `<folder>/<scan id>/<epoch>/…`. Nothing is ever overwritten: each attempt has its own folder. */
export interface ScanFiles {
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
  /** Path of an artefact that a record names. */
  pathOf(scanId: string, artefact: Artefact): string;
  /** The findings file a finished scan refers to; undefined when it has none. */
  findingsOf(scan: ScanRecord): string | undefined;
  /** Removes attempt folders nothing refers to and nobody has claimed; returns how many. */
  sweep(referenced: ReferencedAttempts): Promise<number>;
  /** The same for folders that killed processes had claimed, and for no others: cheap, however many scans there are. */
  sweepAbandoned(referenced: ReferencedAttempts): Promise<number>;
}
