// Reads Vitest's JSON reports. `node scripts/report.mjs <report>...` prints their sum as the last line.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * The counts of one report. A test file that could not run at all holds no failed test, so it counts as one; so does a
 * report that is missing or cut off. A test that was not run is no pass.
 */
export function countsOf(path) {
  let report;
  try {
    report = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, left: 0 };
  }
  const isFailed = ({ status }) => status === 'failed';
  const brokenFiles = report.testResults.filter((file) => isFailed(file) && !file.assertionResults.some(isFailed));
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + brokenFiles.length,
    left: report.numPendingTests + report.numTodoTests,
  };
}

export const countsLine = ({ passed, failed }) => `${passed} passed, ${failed} failed`;

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const total = { passed: 0, failed: 0 };
  for (const path of process.argv.slice(2)) {
    const { passed, failed } = countsOf(path);
    total.passed += passed;
    total.failed += failed;
  }
  console.log(countsLine(total));
  if (total.failed > 0 || total.passed === 0) process.exitCode = 1;
}
