import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sayWhetherThere } from '../../reports/real-files.ts';
import { FOLDER, read, realReports } from './reading.ts';

/** The messages may name another place: one counts lines of what the XML parser saw, both name bytes. */
const comparable = ({ events, code }: Awaited<ReturnType<typeof read>>) => ({ events, code });

describe('the fast way to read a .nessus report', () => {
  sayWhetherThere('nessus');

  for (const name of realReports()) {
    it(`says what the XML parser says: ${name}`, async () => {
      const bytes = readFileSync(join(FOLDER, name));
      const reference = comparable(await read(bytes, 'reference'));
      expect(comparable(await read(bytes))).toEqual(reference);
    });
  }
});
