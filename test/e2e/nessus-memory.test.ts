import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { startNessusSimulator } from '../../src/simulators/nessus/simulator.ts';

const Said = z.strictObject({ whole: z.boolean(), bytes: z.int(), peakMb: z.int() });

async function fetched(megabytes: number): Promise<z.infer<typeof Said>> {
  const scenario = { speed: 20, runs: [{ report: { bytes: megabytes << 20 } }] };
  const sim = await startNessusSimulator({ http: true, scenario });
  try {
    const { accessKey, secretKey } = sim.auth;
    const argv = ['test/programs/nessus-export.mjs', sim.url, accessKey, secretKey];
    const { stdout } = await promisify(execFile)(process.execPath, argv);
    return Said.parse(JSON.parse(stdout));
  } finally {
    await sim.close();
  }
}

it('a report of 300 MB takes hardly more memory to fetch than one of 20 MB', async () => {
  const small = await fetched(20);
  const large = await fetched(300);
  console.log('nessus export:', JSON.stringify({ small, large }));
  expect(small.whole && large.whole).toBe(true);
  expect(large.bytes).toBeGreaterThan(300 << 20);
  expect(large.peakMb - small.peakMb).toBeLessThan(64);
}, 60_000);
