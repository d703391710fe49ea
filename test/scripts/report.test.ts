import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scanmux-report-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Statuses of test files, each with the statuses of its tests. */
  readonly files: readonly { readonly status: string; readonly tests: readonly string[] }[];
}

function reportOf(name: string, { passed, failed, files }: Counts): string {
  const path = join(folder, name);
  const testResults = files.map(({ status, tests }, at) => ({
    name: join(process.cwd(), 'test', `file-${at}.test.ts`),
    status,
    message: status === 'failed' ? 'why the file failed' : '',
    assertionResults: tests.map((result, place) => ({
      fullName: `test ${place}`,
      status: result,
      failureMessages: result === 'failed' ? [`why test ${place} failed\n    at a line`] : [],
    })),
  }));
  const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: 0, numTodoTests: 0 };
  writeFileSync(path, JSON.stringify({ ...counts, testResults }));
  return path;
}

function printed(...paths: readonly string[]): { lines: readonly string[]; status: number | null } {
  const { stdout, status } = spawnSync(process.execPath, ['scripts/report.mjs', ...paths], { encoding: 'utf8' });
  return { lines: stdout.trim().split('\n'), status };
}

function sumOf(...paths: readonly string[]): { line: string | undefined; status: number | null } {
  const { lines, status } = printed(...paths);
  return { line: lines.at(-1), status };
}

const green: Counts = { passed: 2, failed: 0, files: [{ status: 'passed', tests: ['passed', 'passed'] }] };

describe('the last line of a test run', () => {
  it('is the sum of the reports', () => {
    expect(sumOf(reportOf('a', green), reportOf('b', green))).toEqual({ line: '4 passed, 0 failed', status: 0 });
  });

  it('counts failed tests once, and fails', () => {
    const red: Counts = { passed: 1, failed: 1, files: [{ status: 'failed', tests: ['passed', 'failed'] }] };
    expect(sumOf(reportOf('a', red))).toEqual({ line: '1 passed, 1 failed', status: 1 });
  });

  it('counts a file that could not be loaded', () => {
    const broken: Counts = { ...green, files: [...green.files, { status: 'failed', tests: [] }] };
    expect(sumOf(reportOf('a', broken))).toEqual({ line: '2 passed, 1 failed', status: 1 });
  });

  it('counts a report that is missing or cut off', () => {
    writeFileSync(join(folder, 'half'), '{"numPassedTests": 5');
    expect(sumOf(reportOf('a', green), join(folder, 'none'))).toEqual({ line: '2 passed, 1 failed', status: 1 });
    expect(sumOf(reportOf('a', green), join(folder, 'half'))).toEqual({ line: '2 passed, 1 failed', status: 1 });
  });

  it('is a failure when nothing was tested at all', () => {
    expect(sumOf(reportOf('a', { passed: 0, failed: 0, files: [] }))).toEqual({
      line: '0 passed, 0 failed',
      status: 1,
    });
  });
});

describe('before it', () => {
  it('stands what failed and why, as the end of a run may be all that is kept', () => {
    const red: Counts = { passed: 1, failed: 1, files: [{ status: 'failed', tests: ['passed', 'failed'] }] };
    expect(printed(reportOf('a', red)).lines).toEqual([
      'test/file-0.test.ts > test 1',
      '  why test 1 failed',
      '      at a line',
      '1 passed, 1 failed',
    ]);
  });

  it('stands a file that could not be loaded, and a report that is missing', () => {
    const broken: Counts = { ...green, files: [...green.files, { status: 'failed', tests: [] }] };
    expect(printed(reportOf('a', broken), join(folder, 'none')).lines).toEqual([
      'test/file-1.test.ts',
      '  why the file failed',
      'none: missing or cut off',
      '2 passed, 2 failed',
    ]);
  });

  it('stands nothing when all passed', () => {
    expect(printed(reportOf('a', green)).lines).toEqual(['2 passed, 0 failed']);
  });
});
