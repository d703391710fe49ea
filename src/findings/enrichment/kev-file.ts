import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../../model/errors.ts';
import { cveKey } from './cve-key.ts';
import type { KevFacts } from './enrichment.ts';

/** CVEs of the catalogue as sorted keys. */
export interface KevTable {
  readonly facts: KevFacts;
  readonly keys: Float64Array;
}

/** The catalogue had 1.3 MB in 2025. */
const MOST_BYTES = 64 << 20;
/** There were 1,500 in 2025. */
const MOST_ENTRIES = 100_000;

const HINT =
  'Nothing was changed. Download it again: ' +
  'https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json.';

/** What we rely on; CISA adds keys now and then. */
const Catalogue = z.object({
  catalogVersion: z.string().regex(/^[\w.-]{1,40}$/),
  dateReleased: z.string().regex(/^\d{4}-\d\d-\d\d/),
  /** What shows that the list was not cut. */
  count: z.int(),
  vulnerabilities: z.array(z.object({ cveID: z.string(), dateAdded: z.string().regex(/^\d{4}-\d\d-\d\d$/) })).min(1),
});

/**
 * Reads the JSON that CISA publishes.
 * @param name for messages
 * @throws AppError invalid_request naming file and line or entry
 */
export async function readKev(path: string, name: string): Promise<KevTable> {
  const wrong = (problem: string, cause?: unknown): AppError =>
    new AppError('invalid_request', `${name}${problem}.`, { hint: HINT, cause });
  if ((await stat(path)).size > MOST_BYTES) throw wrong(' is far larger than the catalogue');
  const text = (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  const parsed = Catalogue.safeParse(jsonOf(text, wrong));
  if (!parsed.success) {
    const path_ = parsed.error.issues[0]?.path.map(String).join('.') || 'its root';
    throw wrong(`${lineOfEntry(text, parsed.error.issues[0]?.path)} does not fit at ${path_}`, parsed.error);
  }
  const { catalogVersion: version, dateReleased, count, vulnerabilities } = parsed.data;
  if (vulnerabilities.length > MOST_ENTRIES)
    throw wrong(` holds ${vulnerabilities.length} vulnerabilities, far more than the catalogue`);
  if (count !== vulnerabilities.length)
    throw wrong(` says that it holds ${count} vulnerabilities, but ${vulnerabilities.length} are there`);
  const keys = vulnerabilities.map(({ cveID }, index) => {
    const key = cveKey(cveID);
    if (key === undefined) throw wrong(`${lineOfEntry(text, ['vulnerabilities', index])} names no CVE`);
    return key;
  });
  return {
    facts: { version, date: dateReleased.slice(0, 10), vulnerabilities: keys.length },
    keys: Float64Array.from(new Set(keys)).toSorted(),
  };
}

function jsonOf(text: string, wrong: (problem: string, cause?: unknown) => AppError): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    throw wrong(`${lineOfMistake(text, cause)} is not JSON`, cause);
  }
}

/** V8 names a position in most of its messages, and shows what is around it in the others. */
function lineOfMistake(text: string, cause: unknown): string {
  const said = cause instanceof Error ? cause.message : '';
  const position = /position (\d+)/.exec(said)?.[1];
  if (position !== undefined) return `, line ${lineAt(text, Number(position))}`;
  if (/end of JSON/.test(said)) return `, line ${lineAt(text, text.length)}`;
  const excerpt = /^Unexpected token '.', (?:\.\.\.)?"([\s\S]+?)"(?:\.\.\.)? is not valid JSON$/u.exec(said)?.[1];
  const at = excerpt === undefined ? -1 : text.indexOf(excerpt);
  // The mistake stands in the middle of what is shown, or where the text begins.
  return at === -1 ? '' : `, line ${lineAt(text, at + (at === 0 ? 0 : (excerpt ?? '').length / 2))}`;
}

const lineAt = (text: string, position: number): number => text.slice(0, position).split('\n').length;

/** Each entry has one `cveID`, so the n-th of these stands in the n-th entry. */
function lineOfEntry(text: string, path: readonly PropertyKey[] = []): string {
  const index = path[0] === 'vulnerabilities' && typeof path[1] === 'number' ? path[1] : undefined;
  if (index === undefined) return '';
  let at = text.indexOf('"cveID"');
  for (let entry = 0; entry < index && at !== -1; entry += 1) at = text.indexOf('"cveID"', at + 1);
  return at === -1 ? `, entry ${index + 1}` : `, line ${lineAt(text, at)}`;
}
