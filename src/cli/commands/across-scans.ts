import { z } from 'zod';
import { CompareInput } from '../../model/contract/compare.ts';
import { SearchInput } from '../../model/contract/search.ts';
import { exitCode } from '../exit-codes.ts';
import { filtersOf, type FilterOptions } from '../filter-options.ts';
import { readInput } from '../input.ts';
import { comparisonText, searchText } from '../render/across-scans.ts';
import type { Session } from '../session.ts';

interface Paging {
  readonly all?: boolean;
  readonly json?: boolean;
}

export interface CompareOptions extends FilterOptions, Paging {
  readonly before?: string;
}

export interface SearchOptions extends FilterOptions, Paging {
  readonly target?: string;
  readonly finishedAfter?: string;
  readonly allScans?: boolean;
}

/** Tokens of one page of people's output: about a hundred findings. */
const PAGE_TOKENS = 8_000;

const Page = z.object({ findings: z.array(z.unknown()), next_cursor: z.string().optional() });
type Page = z.infer<typeof Page>;

/** The first page, or with `all` everything as if it were one. */
async function pages<T extends Page>(all: boolean, ask: (cursor: string | undefined) => Promise<T>): Promise<T> {
  const first = await ask(undefined);
  const findings = [...first.findings];
  let cursor = first.next_cursor;
  while (all && cursor !== undefined) {
    const page = await ask(cursor);
    findings.push(...page.findings);
    cursor = page.next_cursor;
  }
  return { ...first, findings, next_cursor: cursor };
}

/** `scanmux compare <head_scan_id> [base_scan_id]`: what changed from one scan to a later one. */
export const compare = (
  session: Session,
  head: string,
  base: string | undefined,
  options: CompareOptions,
): Promise<number> =>
  session.withApp(async ({ scans }) => {
    const input = readInput(CompareInput, {
      head_scan_id: head,
      base_scan_id: base,
      base_before: options.before,
      ...filtersOf(options),
      max_tokens: PAGE_TOKENS,
    });
    const answer = await pages(options.all === true, (cursor) =>
      scans.compare(cursor === undefined ? input : { ...input, cursor }, session.ask()),
    );
    const { terminal } = session;
    terminal.out(options.json === true ? JSON.stringify(answer, undefined, 2) : comparisonText(answer, terminal));
    return exitCode('ok');
  });

/** `scanmux search`: findings over all scans, and whether their absence says anything. */
export const search = (session: Session, options: SearchOptions): Promise<number> =>
  session.withApp(async ({ scans }) => {
    const input = readInput(SearchInput, {
      ...filtersOf(options),
      target: options.target,
      finished_after: options.finishedAfter,
      latest_only: options.allScans !== true,
      max_tokens: PAGE_TOKENS,
    });
    const answer = await pages(options.all === true, (cursor) =>
      scans.search(cursor === undefined ? input : { ...input, cursor }, session.ask()),
    );
    const { terminal } = session;
    terminal.out(options.json === true ? JSON.stringify(answer, undefined, 2) : searchText(answer, terminal));
    return exitCode('ok');
  });
