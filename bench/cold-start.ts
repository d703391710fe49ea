import { counts, type Bench } from './bench.ts';
import { compare, type Side } from './harness.ts';
import { createInstallation } from './installation.ts';
import { ECHO_SERVER, SCANMUX } from './programs.ts';
import { lineOf } from './table.ts';
import { connect, type Wire } from './wire.ts';

/** From the spawn to the answer to `initialize`; ending the process is not part of it. */
export const coldStart: Bench = async (size) => {
  const installation = createInstallation();
  const started: Wire[] = [];
  const start = (name: string, argv: readonly string[]): Side => ({
    name,
    once: async () => void started.push(await connect(argv)),
    rest: async () => void (await Promise.all(started.splice(0).map((wire) => wire.close()))),
  });
  try {
    const result = await compare({
      name: 'cold start, spawn to the answer to initialize',
      floor: start('bare SDK server', [ECHO_SERVER]),
      subject: start('scanmux', [SCANMUX, ...installation.argv]),
      ...counts(size, { rounds: 24, perRound: 2 }),
    });
    return [lineOf(result, 'p50', { of: 'ratio', atMost: 1.35 }), lineOf(result, 'p99')];
  } finally {
    installation.remove();
  }
};
