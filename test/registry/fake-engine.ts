import { z } from 'zod';
import type { ScannerHealth } from '../../src/model/capability.ts';
import type { Scanner, ScannerType } from '../../src/scanners/scanner.ts';

const RemoteKeys = z.strictObject({
  url: z.url(),
  username: z.string().min(1).optional(),
  password: z.string().min(1).optional(),
  access_key: z.string().optional(),
  secret_key: z
    .string()
    .refine((text) => !text.includes('wrong'), { error: ({ input }) => `cannot use ${String(input)}` })
    .optional(),
  ca_file: z.string().optional(),
  retries: z.int().min(0).max(9).default(0),
  verify: z.boolean().default(true),
});

type Probe = (signal: AbortSignal) => Promise<ScannerHealth>;

/** An engine whose scanners can be told how they are. */
export interface FakeEngine extends ScannerType<z.infer<typeof RemoteKeys>> {
  /** Settings of every scanner made so far, in order. */
  readonly made: readonly z.infer<typeof RemoteKeys>[];
  /** URLs of the scanners that were probed, in order. */
  readonly probed: readonly string[];
  /** What the scanner with this URL does when it is probed. Without this it is healthy. */
  onProbe(url: string, probe: Probe): void;
}

export const HEALTHY: ScannerHealth = { status: 'healthy', version: '1.0', canLaunch: true };

export function fakeEngine(engine: string): FakeEngine {
  const made: z.infer<typeof RemoteKeys>[] = [];
  const probed: string[] = [];
  const probes = new Map<string, Probe>();
  return {
    capabilities: {
      engine,
      targetKinds: ['host'],
      authenticated: false,
      adoptable: false,
      intensities: ['light'],
      options: [],
      looksFor: ['nothing'],
    },
    settings: RemoteKeys,
    made,
    probed,
    onProbe: (url, probe) => probes.set(url, probe),
    create(settings): Scanner {
      if (settings.ca_file === '/absent') throw new TypeError('ENOENT /absent');
      made.push(settings);
      return {
        probe(signal) {
          probed.push(settings.url);
          return probes.get(settings.url)?.(signal) ?? Promise.resolve(HEALTHY);
        },
        run: () => Promise.resolve({ whole: true }),
        parse: () => {
          throw new Error('not used');
        },
      };
    },
  };
}

/** An engine without keys of its own, like the built-in one. */
export function plainEngine(engine: string): ScannerType {
  const { capabilities } = fakeEngine(engine);
  return {
    capabilities,
    settings: z.strictObject({ binary: z.string().startsWith('/').optional() }),
    create: () => ({
      probe: () => Promise.resolve(HEALTHY),
      run: () => Promise.resolve({ whole: true }),
      parse: () => {
        throw new Error('not used');
      },
    }),
  };
}
