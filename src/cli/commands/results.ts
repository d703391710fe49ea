import { join } from 'node:path';
import type { App } from '../../app.ts';
import { ResultsInput, type Results } from '../../model/contract/results.ts';
import { filtersOf, type FilterOptions } from '../filter-options.ts';
import { exitCode, exitOfScan } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { resultsText } from '../render/scan-report.ts';
import type { Session } from '../session.ts';

export interface ResultsOptions extends FilterOptions {
  readonly groupBy?: string;
  readonly sort?: string;
  readonly detail?: string;
  readonly json?: boolean;
  readonly all?: boolean;
}

/** `scanmux results <scan_id>`: the findings of a finished scan, filtered. */
export async function results(session: Session, scanId: string, options: ResultsOptions): Promise<number> {
  const typed = {
    scan_id: scanId,
    ...filtersOf(options),
    group_by: options.groupBy,
    sort: options.sort,
    detail: options.detail,
  };
  return session.withApp(async (app) => {
    const shown = { json: options.json === true, all: options.all === true };
    return exitCode(exitOfScan(await printResults(session, app, typed, shown)));
  });
}

/** Tokens of one page of people's output: about a hundred findings. */
const PAGE_TOKENS = 8_000;

/** Prints one page, or every page with `all`; returns the first. */
export async function printResults(
  session: Session,
  app: App,
  typed: Readonly<Record<string, unknown>>,
  { json, all }: { json: boolean; all: boolean },
): Promise<Results> {
  const input = readInput(ResultsInput, {
    detail: json ? undefined : 'minimal',
    ...defined(typed),
    max_tokens: PAGE_TOKENS,
  });
  const first = await app.scans.results(input, session.ask());
  const pages = [first];
  for (let cursor = all ? first.next_cursor : undefined; cursor !== undefined;) {
    const page = await app.scans.results({ ...input, cursor }, session.ask());
    pages.push(page);
    cursor = page.next_cursor;
  }
  const whole = joined(first, pages);
  const { terminal } = session;
  if (json) {
    terminal.out(JSON.stringify(whole, undefined, 2));
    return whole;
  }
  terminal.out(resultsText(whole, whole.findings ?? [], terminal));
  terminal.out(`Files:          ${join(session.folders().data, 'scans', whole.scan_id)}`);
  return whole;
}

const defined = (typed: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined));

/** All pages as one answer: what is left out is what the last page left out. */
function joined(first: Results, pages: readonly Results[]): Results {
  const last = pages.at(-1) ?? first;
  const { next_cursor: _, findings, groups, ...rest } = first;
  return {
    ...rest,
    ...(findings === undefined ? {} : { findings: pages.flatMap((page) => page.findings ?? []) }),
    ...(groups === undefined ? {} : { groups: pages.flatMap((page) => page.groups ?? []) }),
    ...(last.next_cursor === undefined ? {} : { next_cursor: last.next_cursor }),
    omitted: last.omitted,
  };
}
