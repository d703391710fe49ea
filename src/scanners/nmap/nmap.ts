import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { ScannerType } from '../scanner.ts';
import { argvFor } from './argv.ts';
import { probeNmap } from './binary.ts';
import { parseNmap } from './parse.ts';
import { runNmap } from './run.ts';

const NmapSettings = z.strictObject({
  binary: z
    .string()
    .refine(isAbsolute, 'must be an absolute path')
    .optional()
    .describe('Absolute path of nmap; by default it is looked for in the usual folders.'),
});
type NmapSettings = z.infer<typeof NmapSettings>;

/** The real nmap as a child process. docs/engines/nmap.md says what each intensity sends. */
export const nmapType: ScannerType<NmapSettings> = {
  check: (request) => void argvFor(request, []),
  capabilities: {
    engine: 'nmap',
    targetKinds: ['host', 'network'],
    authenticated: false,
    adoptable: false,
    intensities: ['light', 'standard', 'intrusive'],
    options: ['ports', 'templates'],
    looksFor: [
      'open TCP ports',
      'service versions (standard, intrusive)',
      'weaknesses known to safe nmap scripts (standard, intrusive)',
      'weaknesses known to intrusive nmap scripts (intrusive)',
    ],
  },
  settings: NmapSettings,
  create: ({ binary }) => ({
    probe: (signal) => probeNmap(binary, signal),
    run: (job, ctx) => runNmap(binary, job, ctx),
    parse: (report) => parseNmap(report),
  }),
};
