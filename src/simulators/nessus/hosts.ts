import { RULES, RULE_COUNT, type Rule } from './report/rules.ts';
import { runningMs, type Run } from './run.ts';

/** A host of a run that Nessus has found by now. */
export interface FoundHost {
  /** Its place among the targets, from 0. */
  readonly index: number;
  readonly name: string;
  /** 0 to 100. */
  readonly percent: number;
}

/** Bytes of a finding without what pads its output. */
export const ITEM_BYTES = 1_600;
const UNKNOWN_LENGTH_MS = 10_000;

/**
 * Hosts appear one after the other while the scan is running, so that progress over all of them goes down now and then.
 * @param run settled
 */
export function foundHosts(run: Run, now: number): FoundHost[] {
  const { first_after_ms: first, every_ms: every, each_ms: each, dead } = run.script.hosts;
  const isOver = run.end?.status === run.script.ends || run.end?.status === 'imported';
  const { spent, whole } = runningMs(run, now);
  const length = Number.isFinite(whole) ? whole : Math.max(spent * 1.01, UNKNOWN_LENGTH_MS);
  const alive = run.targets.map((name, index) => ({ name, index })).filter(({ name }) => !dead.includes(name));
  return alive.flatMap(({ name, index }, position) => {
    if (isOver) return [{ index, name, percent: 100 }];
    const from = Math.min(first + position * every, length);
    if (spent === 0 || spent < from) return [];
    const takes = Math.min(each ?? length / 3, length - from);
    const percent = takes === 0 ? 100 : Math.min(100, Math.floor((100 * (spent - from)) / takes));
    return [{ index, name, percent: run.script.progress === 'zero' ? 0 : percent }];
  });
}

export const isActive = (run: Run | undefined): boolean => run !== undefined && run.end === undefined;

/** How many findings a host has in the end. */
export function findingsPerHost({ script: { report }, targets }: Run): number {
  if (report.bytes === undefined) return report.findings_per_host;
  return Math.max(report.findings_per_host, Math.ceil(report.bytes / Math.max(1, targets.length) / (2 * ITEM_BYTES)));
}

/** The rule of the nth finding of a host: the same in details, counts and exports. */
export function ruleOf(run: Run, host: number, nth: number): Rule {
  // Some rules report on every host, the others on few; the step shares no factor with the number of rules.
  const number = nth < 4 ? nth : host * 37 + nth * 7 + run.historyId;
  const rule = RULES[number % RULE_COUNT];
  if (!rule) throw new RangeError(`no rule ${number}`);
  return rule;
}

/** Findings of one host by severity, 0 to 4. */
export function severityCounts(run: Run, host: FoundHost): number[] {
  const counts = [0, 0, 0, 0, 0];
  for (let nth = 0; nth < findingsSoFar(run, host); nth += 1) {
    const { severity } = ruleOf(run, host.index, nth);
    counts[severity] = (counts[severity] ?? 0) + 1;
  }
  return counts;
}

/** A host half done has half of its findings. */
export const findingsSoFar = (run: Run, { percent }: FoundHost): number =>
  Math.floor((findingsPerHost(run) * percent) / 100);
