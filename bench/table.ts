import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { ComparisonResult } from './harness.ts';

type Measure = 'p50' | 'p99' | 'perSecond';
/** Memory is no latency: a line of it is made by hand. */
type LineMeasure = Measure | 'MiB' | 'KiB';

/** What a figure is held to: the ratio, or our own figure where only the time itself matters. */
export interface Target {
  readonly of: 'ratio' | 'ours';
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** One line of the table. Times are milliseconds, rates are per second, memory is MiB or KiB. */
export interface Line {
  readonly what: string;
  readonly measure: LineMeasure;
  readonly floor: number;
  readonly ours: number;
  /** Ours by floor. */
  readonly ratio: number;
  /** Absent: for information. */
  readonly target?: Target;
}

const LABELS = { p50: 'p50 ms', p99: 'p99 ms', perSecond: 'per second', MiB: 'MiB', KiB: 'KiB' } as const;

export function lineOf(result: ComparisonResult, measure: Measure, target?: Target): Line {
  const { name, floor, subject, ratio } = result;
  const figures = { floor: floor[measure], ours: subject[measure], ratio: ratio[measure] };
  return { what: name, measure, ...figures, ...(target === undefined ? {} : { target }) };
}

/** True or false where there is a target. */
export function isReached({ ratio, ours, target }: Line): boolean | undefined {
  if (target === undefined) return undefined;
  const value = target.of === 'ratio' ? ratio : ours;
  return value <= (target.atMost ?? Infinity) && value >= (target.atLeast ?? -Infinity);
}

const UNITS = { p50: 'ms', p99: 'ms', perSecond: '/s', MiB: 'MiB', KiB: 'KiB' } as const;

const rounded = (value: number): string => String(Number(value.toPrecision(3)));

function boundText({ atLeast, atMost }: Target): string {
  if (atMost === undefined) return `>= ${atLeast}`;
  return atLeast === undefined ? `<= ${atMost}` : `${atLeast} to ${atMost}`;
}

function targetText({ target, measure }: Line): string {
  if (target === undefined) return 'for information';
  const bound = boundText(target);
  return target.of === 'ratio' ? `${bound} x` : `${bound} ${UNITS[measure]}`;
}

const VERDICTS = new Map<boolean | undefined, string>([
  [true, 'pass'],
  [false, 'MISS'],
]);

/** The table as aligned text. */
export function tableText(lines: readonly Line[]): string {
  const head = ['what', '', 'floor', 'ours', 'ratio', 'target', ''];
  const rows = lines.map((line) => [
    line.what,
    LABELS[line.measure],
    rounded(line.floor),
    rounded(line.ours),
    rounded(line.ratio),
    targetText(line),
    VERDICTS.get(isReached(line)) ?? '',
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const text = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [head, ...rows].map(text).join('\n');
}

/** Writes the lines to `<folder>/<name>.json`, with the machine they were measured on. */
export function save(folder: string, name: string, lines: readonly Line[]): void {
  mkdirSync(folder, { recursive: true });
  const machine = {
    node: process.version,
    platform: process.platform,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    load: loadavg(),
  };
  const reached = lines.map((line) => ({ ...line, reached: isReached(line) }));
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify({ machine, lines: reached }, null, 2)}\n`);
}
