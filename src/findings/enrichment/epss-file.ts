import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { cveKey } from './cve-key.ts';
import type { EpssFacts } from './enrichment.ts';

/** EPSS scores by sorted CVE key. */
export interface EpssTable {
  readonly facts: EpssFacts;
  readonly keys: Float64Array;
  readonly scores: Float64Array;
}

/** There were 300,000 CVEs in 2025. */
const MOST_ROWS = 2_000_000;
/** Unpacked. There were 10 MB in 2025; a small file can hold any amount of what repeats. */
const MOST_BYTES = 128 << 20;
const MOST_LINE_CHARS = 200;
const MOST_BLANK_LINES = 100;

const HINT =
  'Nothing was changed. Download it again: https://epss.empiricalsecurity.com/epss_scores-current.csv.gz, or from ' +
  'https://www.first.org/epss/data_stats.';

/**
 * Reads the CSV that FIRST publishes every day, plain or gzipped: a comment with the model and the day, a line of column
 * names, then one line per CVE.
 * @param name for messages
 * @throws AppError invalid_request naming file and line
 */
export async function readEpss(path: string, name: string): Promise<EpssTable> {
  const reader = new EpssReader(name);
  for await (const line of linesOf(path, reader)) reader.line(line);
  return reader.table();
}

/** A file that was cut inside gzip, or is no gzip, fails in the stream: that is said like any other mistake in it. */
async function* linesOf(path: string, reader: EpssReader): AsyncGenerator<string> {
  const file = createReadStream(path);
  const source: Readable = path.toLowerCase().endsWith('.gz') ? file.pipe(createGunzip()) : file;
  file.on('error', (error) => source.destroy(error));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let bytes = 0;
  try {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES)
        throw reader.wrong(`is beyond the first ${MOST_BYTES >> 20} MB, far more than all scores`);
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MOST_LINE_CHARS) throw reader.wrong('is too long');
      yield* lines;
    }
    decoder.decode();
  } catch (error) {
    throw error instanceof AppError ? error : reader.wrong(`cannot be read: ${messageOf(error)}`, error);
  } finally {
    source.destroy();
    file.destroy();
  }
  if (rest === '') return;
  yield rest;
  throw reader.wrong('has no end: the file was cut short');
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? cleanLine(error.message, 200) : 'unknown error';

class EpssReader {
  readonly #name: string;
  readonly #rows: { readonly key: number; readonly score: number }[] = [];
  #facts: Omit<EpssFacts, 'scores'> | undefined;
  #columns = 0;
  #blank = 0;
  #line = 0;

  constructor(name: string) {
    this.#name = name;
  }

  line(text: string): void {
    this.#line += 1;
    const line = text.trimEnd();
    if (this.#facts === undefined) this.#facts = this.#comment(line);
    else if (this.#columns === 0) this.#names(line);
    else if (line !== '') this.#row(line);
    else if ((this.#blank += 1) > MOST_BLANK_LINES) throw this.wrong('is one empty line too many');
  }

  table(): EpssTable {
    if (this.#facts === undefined || this.#rows.length === 0) {
      this.#line += 1;
      throw this.wrong('is missing: the file holds no scores');
    }
    const sorted = this.#rows.toSorted((a, b) => a.key - b.key);
    if (sorted.some(({ key }, index) => key === sorted[index + 1]?.key))
      throw this.wrong('is the last one, and a CVE stands in the file twice');
    return {
      facts: { ...this.#facts, scores: sorted.length },
      keys: Float64Array.from(sorted, ({ key }) => key),
      scores: Float64Array.from(sorted, ({ score }) => score),
    };
  }

  /** About the line read last. */
  wrong(problem: string, cause?: unknown): AppError {
    return new AppError('invalid_request', `${this.#name}, line ${this.#line} ${problem}.`, { hint: HINT, cause });
  }

  #comment(line: string): Omit<EpssFacts, 'scores'> {
    const text = line.replace(/^\uFEFF/, '');
    const model = /\bmodel_version:([\w.-]{1,40})/.exec(text)?.[1];
    const date = /\bscore_date:(\d{4}-\d\d-\d\d)/.exec(text)?.[1];
    if (!text.startsWith('#') || model === undefined || date === undefined || Number.isNaN(Date.parse(date)))
      throw this.wrong('is not `#model_version:...,score_date:...`, so the day of the scores is not known');
    return { model, date };
  }

  #names(line: string): void {
    if (!/^cve,epss(,|$)/.test(line)) throw this.wrong('does not name the columns `cve,epss,percentile`');
    this.#columns = line.split(',').length;
  }

  #row(line: string): void {
    const fields = line.split(',');
    const [cve = '', text = ''] = fields;
    const key = cveKey(cve);
    const score = /^\d?(?:\.\d{1,20})?(?:e-\d{1,3})?$/i.test(text) && text !== '' ? Number(text) : Number.NaN;
    if (key === undefined) throw this.wrong('does not begin with a CVE');
    if (!(score >= 0 && score <= 1)) throw this.wrong('has no score from 0 to 1');
    if (fields.length !== this.#columns || fields.includes('')) throw this.wrong('does not have all columns');
    if (this.#rows.length === MOST_ROWS) throw this.wrong('is one too many');
    this.#rows.push({ key, score });
  }
}
