import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from '@photostructure/sqlite';
import { createFindingsStore } from '../src/findings/findings-store.ts';
import { newFileSettings, SCHEMA } from '../src/findings/layout.ts';
import type { Bench } from './bench.ts';
import { generatedEvents, LARGE_REPORT } from './generated-events.ts';
import type { GeneratedShape } from './generated-events.ts';
import { compare } from './harness.ts';
import type { Side } from './harness.ts';
import { lineOf } from './table.ts';

async function* inTurn<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}

/** Each unit works in a folder of its own, which is removed afterwards. */
function inFolder(name: string, work: (folder: string) => Promise<void>): Side {
  let folders: string[] = [];
  return {
    name,
    async once() {
      const folder = mkdtempSync(join(tmpdir(), 'bench-ingest-'));
      folders.push(folder);
      await work(folder);
    },
    async rest() {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
      folders = [];
    },
  };
}

/** The least that has to be written: every body, in one transaction, into a file of the same kind. */
async function insertBodies(folder: string, shape: GeneratedShape): Promise<void> {
  const db = new DatabaseSync(join(folder, 'floor.db'));
  db.exec('PRAGMA journal_mode = off; PRAGMA synchronous = off');
  db.exec(newFileSettings(2 ** 40));
  db.exec(SCHEMA);
  db.exec('BEGIN');
  const insert = db.prepare('INSERT INTO body VALUES (?, ?)');
  let id = 0;
  for await (const event of inTurn(generatedEvents(shape))) {
    if (event.kind !== 'occurrence') continue;
    insert.run(id, JSON.stringify(event.occurrence));
    id += 1;
  }
  db.exec('COMMIT');
  db.close();
}

/** A findings file out of the events of a large report, without the parsing. */
export const ingest: Bench = async (size) => {
  const shape = size === 'full' ? LARGE_REPORT : { ...LARGE_REPORT, findings: 2_000 };
  const store = createFindingsStore();
  const ours = inFolder('ingest', async (folder) => {
    const events = inTurn(generatedEvents(shape));
    await store.ingest({ scanId: 'scan_bench', epoch: 1, engine: 'nessus', folder, targets: 'as_reported', events });
  });
  try {
    const result = await compare({
      name: `ingest, ${shape.findings} findings, 700 characters each`,
      floor: inFolder('raw SQLite inserts of the bodies', (folder) => insertBodies(folder, shape)),
      subject: ours,
      rounds: size === 'full' ? 5 : 2,
      perRound: 1,
    });
    return [lineOf(result, 'p50')];
  } finally {
    await store.close();
  }
};
