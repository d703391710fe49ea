import { describe, expect, it } from 'vitest';
import { createProgressTap } from '../../../src/scanners/nmap/progress.ts';
import { fixture } from './reading.ts';

const task = (name: string, percent: number) =>
  Buffer.from(`<taskprogress task="${name}" time="1" percent="${percent}.00"/>\n`);

describe('the progress of nmap', () => {
  it('never goes back although every task counts from zero', () => {
    const tap = createProgressTap('standard', 1);
    tap.nextRun(1);
    const steps: [string, number][] = [
      ['Connect Scan', 50],
      ['Service scan', 0],
      ['Service scan', 90],
      ['NSE', 10],
      ['NSE', 5],
      ['Connect Scan', 1],
      ['NSE', 100],
    ];
    const percents = steps.map(([name, percent]) => {
      tap.feed(task(name, percent));
      return tap.progress.percent;
    });
    expect(percents).toEqual([15, 30, 57, 64, 64, 64, 99]);
    expect(tap.progress.phase).toBe('running scripts');
  });

  it('says what nmap begins with as soon as it writes anything', () => {
    const tap = createProgressTap('standard', 1);
    tap.nextRun(1);
    expect(tap.progress).toMatchObject({ percent: 0, phase: 'starting nmap' });
    expect(tap.feed(Buffer.from('<?xml version="1.0"?>'))).toBe(true);
    expect(tap.feed(Buffer.from('\n'))).toBe(false);
    expect(tap.progress.phase).toBe('looking for open ports');
  });

  it('counts hosts over all runs and never says 100', () => {
    const tap = createProgressTap('light', 4);
    tap.nextRun(2);
    tap.feed(Buffer.from('<host></host><host></host>'));
    expect(tap.progress).toMatchObject({ percent: 50, hostsDone: 2 });
    tap.nextRun(2);
    tap.feed(Buffer.from('<host></host><host></host><finished time="1" exit="success"/>'));
    expect(tap.progress).toMatchObject({ percent: 99, hostsDone: 4, estimated: true });
    expect(tap.run).toMatchObject({ hostsDone: 2, isSuccess: true });
  });

  it.each([1, 2, 7, 64, 1_000_000])('counts a real report the same in pieces of %i bytes', (size) => {
    const report = fixture('http.xml');
    const tap = createProgressTap('standard', 1);
    tap.nextRun(1);
    for (let at = 0; at < report.length; at += size) tap.feed(report.subarray(at, at + size));
    const text = report.toString('latin1');
    const findings = [...text.matchAll(/<state state="open"/g)].length + [...text.matchAll(/<script id=/g)].length;
    expect(tap.progress).toMatchObject({ hostsDone: 1, findingsSoFar: findings });
    expect(tap.run.isSuccess).toBe(true);
  });

  it('keeps little of an output of megabytes', () => {
    const tap = createProgressTap('standard', 1);
    tap.nextRun(1);
    tap.feed(Buffer.from('<script id="http-title" output="'));
    for (let piece = 0; piece < 100; piece += 1) tap.feed(Buffer.alloc(1 << 16, 'x'));
    tap.feed(Buffer.from('"/><script id="y" output=""/>'));
    expect(tap.run.findings).toBe(2);
  });

  it('takes no success from a finish that reports an error', () => {
    const tap = createProgressTap('standard', 1);
    tap.nextRun(1);
    tap.feed(Buffer.from('<finished time="1" exit="error" errormsg="exit=&quot;success&quot;"/>'));
    expect(tap.run.isSuccess).toBe(false);
  });
});
