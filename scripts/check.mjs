// `npm run check`: everything that can be judged without running the product. All steps run, even after a failure.
import { spawnSync } from 'node:child_process';
import { ROOT, ensurePackages, packageProgram } from './setup.mjs';

ensurePackages();

const STEPS = [
  { name: 'format', argv: [packageProgram('oxfmt'), '--check'] },
  { name: 'lint', argv: [packageProgram('oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'types', argv: [packageProgram('typescript', 'tsc')] },
  { name: 'dead code', argv: [packageProgram('knip')] },
  { name: 'generated docs', argv: ['scripts/generate.mjs', '--check'] },
  { name: 'rooms', argv: [packageProgram('vitest'), 'run', 'test/architecture.test.ts'] },
  { name: 'packages', argv: [packageProgram('vitest'), 'run', 'test/packages.test.ts'] },
];

for (const { name, argv } of STEPS) {
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(15)} ${seconds.padStart(6)} s`);
  if (status === 0) continue;
  process.exitCode = 1;
  console.log(`${stdout}${stderr}`.trim());
}
