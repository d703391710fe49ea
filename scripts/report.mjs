// Reads Vitest's JSON reports. `node scripts/report.mjs <report>...` prints what failed, and their sum as the last line:
// often the end of a run is all that is kept of it.
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

const isFailed = ({ status }) => status === 'failed';

/** The parsed report, or nothing when it is missing or cut off. */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * The counts of one report. A test file that could not run at all holds no failed test, so it counts as one; so does a
 * report that is missing or cut off. A test that was not run is no pass.
 */
export function countsOf(path) {
  const report = readReport(path);
  if (report === undefined) return { passed: 0, failed: 1, left: 0 };
  const brokenFiles = report.testResults.filter((file) => isFailed(file) && !file.assertionResults.some(isFailed));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    left: report.numPendingTests + report.numTodoTests,
  };
}

/** Each failure of one report as two to a few lines: the file and the test, then why. */
export function failuresOf(path) {
  const report = readReport(path);
  if (report === undefined) return [`${basename(path)}: missing or cut off`];
  return report.testResults.filter(isFailed).flatMap((file) => {
    const name = relative(process.cwd(), file.name);
    const tests = file.assertionResults.filter(isFailed);
    if (tests.length === 0) return [described(name, file.message)];
    return tests.map(({ fullName, failureMessages }) => described(`${name} > ${fullName}`, failureMessages.join('\n')));
  });
}

const LINES_OF_A_FAILURE = 12;

function described(title, message) {
  const why = message.split('\n').slice(0, LINES_OF_A_FAILURE);
  return [title, ...why.map((line) => `  ${line}`)].join('\n');
}

export const countsLine = ({ passed, failed }) => `${passed} passed, ${failed} failed`;

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const total = { passed: 0, failed: 0 };
  for (const path of process.argv.slice(2)) {
    const { passed, failed } = countsOf(path);
    total.passed += passed;
    total.failed += failed;
    for (const failure of failuresOf(path)) console.log(failure);
  }
  console.log(countsLine(total));
  if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
}
