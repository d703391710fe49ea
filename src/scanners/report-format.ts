import type { Readable } from 'node:stream';
import type { ReportEvent } from '../model/report.ts';

/** A kind of report file that can be read, whoever made it. docs/reports.md lists them. */
export interface ReportFormat {
  /** As `import_report` names it: `nessus`, `nuclei`, `sarif`, ... */
  readonly name: string;
  /** The engine its findings belong to, unless the report itself says another (`ReportSource.engine`). */
  readonly engine: string;
  /** Set when the places of its reports are files, images or packages, or URLs: a bare name is no host then. */
  readonly places?: 'artefacts';
  /**
   * Whether the beginning of a file (at most `HEAD_BYTES`, possibly cut in the middle of anything) looks like this
   * format. Pure and fast; must not be fooled by the name of another format inside a text.
   */
  detect(head: Buffer): boolean;
  /** Streams: memory does not grow with the report. @throws AppError report_unreadable naming line or byte */
  parse(report: Readable): AsyncIterable<ReportEvent>;
}

/** How much of a file `detect` is shown. */
export const HEAD_BYTES = 64 << 10;

/** Reports are read in pieces of this size: smaller ones cost more turns of the event loop than they save memory. */
export const REPORT_CHUNK_BYTES = 1 << 20;
