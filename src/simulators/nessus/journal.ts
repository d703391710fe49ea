import { appendFileSync, readFileSync } from 'node:fs';
import { SimulatorError } from './simulator-error.ts';

/** One request. Names are those of the JSON lines in the journal file. */
export interface JournalEntry {
  /** In the order of arrival, from 1; a restart with the same journal file goes on counting. */
  readonly seq: number;
  /** Arrival, epoch milliseconds of the simulated clock. */
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** The route it met, e.g. `/scans/{id}/launch`; null for a path that is none. */
  readonly route: string | null;
  readonly query: Readonly<Record<string, string>>;
  readonly scan_id: number | null;
  /** Who made that scan: this API, or somebody else. Of several that are deleted at once, `foreign` if one is. */
  readonly scan_origin: 'api' | 'foreign' | null;
  /** The scanmux scan id, with its epoch if there is one, in the name or description of that scan. */
  readonly marker: string | null;
  /** As decided; the client may never have seen it. Null when it went away before. */
  readonly status: number | null;
  readonly auth: 'keys' | 'session' | 'none' | 'refused';
  /** Requests being answered when this one arrived, with itself. */
  readonly in_flight: number;
  /** What was made to go wrong, e.g. `reset_after_success`. */
  readonly fault: string | null;
}

/** Older entries are only in the file. */
const MOST_KEPT = 200_000;

/** Every request to the simulated API, in memory and as JSON lines. */
export class Journal {
  readonly #path: string | undefined;
  #entries: JournalEntry[] = [];
  #seq = 0;

  /** @param path a file to append to; what it holds already is remembered. @throws SimulatorError */
  constructor(path?: string) {
    this.#path = path;
    if (path === undefined) return;
    appendFileSync(path, '', { mode: 0o600 });
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    try {
      this.#entries = lines.slice(-MOST_KEPT).map((line) => {
        const entry: JournalEntry = JSON.parse(line);
        return entry;
      });
    } catch (cause) {
      throw new SimulatorError(`${path} is no journal of the simulator`, { cause });
    }
    this.#seq = this.#entries.reduce((most, { seq }) => Math.max(most, seq), 0);
  }

  /** Of a request that has just arrived. */
  nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }

  add(entry: JournalEntry): void {
    if (this.#entries.length >= MOST_KEPT) this.#entries = this.#entries.slice(MOST_KEPT / 10);
    this.#entries.push(entry);
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
  }

  /** In the order in which they were answered. @param after only those with a higher `seq` */
  entries(after = 0): readonly JournalEntry[] {
    return after === 0 ? [...this.#entries] : this.#entries.filter(({ seq }) => seq > after);
  }
}

const MARKER = /scan_[0-9a-hjkmnp-tv-z]{20}(?:[^0-9a-z\s]{0,2}e?\d{1,9})?/;

export const markerIn = (...texts: readonly string[]): string | null =>
  texts.map((text) => MARKER.exec(text)?.[0]).find((found) => found !== undefined) ?? null;
