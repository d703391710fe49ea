import { appendFileSync } from 'node:fs';
import { z } from 'zod';
import type { Scanner, ScannerType } from '../src/scanners/scanner.ts';

/** Nanoseconds on the one monotonic clock that all processes of a machine share. */
export const sharedNow = (): bigint => process.hrtime.bigint();

const Settings = z.strictObject({ journal: z.string() });

/** An engine that writes down when it was asked to run, and is done. */
export const clockedType: ScannerType<z.infer<typeof Settings>> = {
  capabilities: {
    engine: 'clocked',
    targetKinds: ['host'],
    authenticated: false,
    adoptable: false,
    intensities: ['standard'],
    options: [],
    looksFor: ['the time'],
  },
  settings: Settings,
  create: ({ journal }): Scanner => ({
    probe: () => Promise.resolve({ status: 'healthy', canLaunch: true }),
    run({ scanId }, { report }) {
      appendFileSync(journal, `${scanId} ${sharedNow()}\n`);
      report.end();
      return Promise.resolve({ whole: true });
    },
    async *parse(report) {
      for await (const _ of report);
      yield { kind: 'end' };
    },
  }),
};
