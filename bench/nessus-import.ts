import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { percentile } from './harness.ts';
import { writeNessusReport, type ReportShape } from './nessus-report.ts';
import { NESSUS_CHILD } from './programs.ts';
import type { Line } from './table.ts';

/** What one run of a child says of itself; its start is not part of `ms`. */
interface Took {
  readonly ms: number;
  readonly findings: number;
  readonly peakMb: number;
}

type Run = (file: string) => Took;

function run(program: string, argv: readonly string[]): Took {
  const { stdout, stderr, status } = spawnSync(program, argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${argv[0]} failed: ${stderr.slice(-2_000)}`);
  const { ms, findings, peakMb } = JSON.parse(stdout);
  return { ms: Number(ms), findings: Number(findings), peakMb: Number(peakMb) };
}

const ours =
  (work: 'parse' | 'ingest' | 'xml'): Run =>
  (file) =>
    run(process.execPath, [NESSUS_CHILD, work, file]);

/** Python's lxml where it is installed. The interpreter of the system comes second: packages of apt are only there. */
function floorOf(): { readonly name: string; readonly run: Run } {
  const python = ['python3', '/usr/bin/python3'].find(
    (name) => spawnSync(name, ['-c', 'import lxml'], { stdio: 'ignore' }).status === 0,
  );
  if (python !== undefined) {
    const script = join(process.cwd(), 'bench', 'nessus-lxml.py');
    return { name: 'lxml', run: (file) => run(python, [script, file]) };
  }
  console.error('No lxml for the floor (`apt-get install python3-lxml`): compared with our XML parser alone instead.');
  return { name: 'saxes alone', run: ours('xml') };
}

interface Compared {
  readonly what: string;
  readonly file: string;
  readonly rounds: number;
  readonly floor: { readonly name: string; readonly run: Run };
  readonly subject: Run;
}

/** Floor and subject in turns; each by its median. */
function compared({ what, file, rounds, floor, subject }: Compared, atMost?: number): Line {
  const times: Record<'floor' | 'ours', number[]> = { floor: [], ours: [] };
  for (let round = 0; round < rounds; round += 1) {
    const [first, second] = [floor.run(file), subject(file)];
    if (first.findings !== second.findings) throw new Error(`${what}: ${first.findings} and ${second.findings} items`);
    times.floor.push(first.ms);
    times.ours.push(second.ms);
  }
  const [theirs, own] = [percentile(times.floor, 0.5), percentile(times.ours, 0.5)];
  const target = atMost === undefined ? {} : { target: { of: 'ratio', atMost } as const };
  return {
    what: `${what}, against ${floor.name}`,
    measure: 'p50',
    floor: theirs,
    ours: own,
    ratio: own / theirs,
    ...target,
  };
}

/** Peak memory of an import, against the one of a report of 20 MB: it should not grow. */
function memoryLines(files: readonly (readonly [string, string])[]): Line[] {
  const peaks = files.map(([what, file]) => ({ what, peakMb: ours('ingest')(file).peakMb }));
  const least = peaks[0]?.peakMb ?? Number.NaN;
  return peaks.map(({ what, peakMb }) => ({
    what: `import of ${what}, peak memory, against the smallest`,
    measure: 'MiB',
    floor: least,
    ours: peakMb,
    ratio: peakMb / least,
    target: { of: 'ours', atMost: 250 },
  }));
}

const MB = 1e6;

/** Reading .nessus reports, with and without writing the findings file. */
export const nessusImport: Bench = async (size) => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-nessus-report-'));
  const scale = size === 'full' ? MB : MB / 100;
  const rounds = size === 'full' ? 5 : 1;
  const written = (name: string, shape: ReportShape): string => {
    const file = join(folder, `${name}.nessus`);
    writeNessusReport(file, shape);
    return file;
  };
  try {
    const floor = floorOf();
    const small = written('small', { bytes: 20 * scale, rulesRepeat: true });
    const file = written('repeating', { bytes: 210 * scale, rulesRepeat: true });
    const unlike = written('unlike', { bytes: 210 * scale, rulesRepeat: false });
    const lines = [
      compared({ what: 'parse 210 MB .nessus', file, rounds, floor, subject: ours('parse') }),
      compared({ what: 'parse + ingest 210 MB .nessus', file, rounds, floor, subject: ours('ingest') }, 1),
      compared({ what: 'parse, no rule twice', file: unlike, rounds, floor, subject: ours('parse') }),
      compared({ what: 'parse + ingest, no rule twice', file: unlike, rounds, floor, subject: ours('ingest') }, 1.3),
    ];
    rmSync(unlike);
    const large = written('large', { bytes: 1_000 * scale, rulesRepeat: true });
    return [
      ...lines,
      ...memoryLines([
        ['20 MB', small],
        ['210 MB', file],
        ['1 GB', large],
      ]),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
