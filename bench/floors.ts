import { counts, type Bench } from './bench.ts';
import { compare } from './harness.ts';
import { createInstallation } from './installation.ts';
import { ECHO_SERVER } from './programs.ts';
import { createRawSqlite } from './raw-sqlite.ts';
import { callSide } from './status-call.ts';
import { lineOf } from './table.ts';
import { connect } from './wire.ts';

/**
 * How much the floors themselves vary on this machine: each against itself. A ratio far from 1 means a noisy machine, on
 * which no other figure says much.
 */
export const floors: Bench = async (size) => {
  const installation = createInstallation();
  const sqlite = createRawSqlite(installation.floor);
  const wires = [await connect([ECHO_SERVER]), await connect([ECHO_SERVER])] as const;
  const [floor, subject] = wires.map((wire) => callSide('bare SDK echo tool', wire, 'echo', () => ({ text: 'hello' })));
  try {
    if (!floor || !subject) return [];
    const insert = { name: 'noise: raw commit against itself', floor: sqlite, subject: sqlite };
    const call = { name: 'noise: echo tool against another', floor, subject };
    return [
      lineOf(await compare({ ...insert, ...counts(size, { rounds: 6, perRound: 300 }) }), 'perSecond'),
      lineOf(await compare({ ...call, ...counts(size, { rounds: 8, perRound: 400 }) }), 'p50'),
    ];
  } finally {
    await Promise.all(wires.map((wire) => wire.close()));
    sqlite.close();
    installation.remove();
  }
};
