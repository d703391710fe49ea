import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import type { EnrichmentUpdate } from './enrichment.ts';
import { readEpss } from './epss-file.ts';
import { readKev } from './kev-file.ts';
import { writeTables, type Tables } from './table-file.ts';

/** As FIRST and CISA name them; a browser may have added ` (1)`. */
const EPSS_FILE = /^epss[\w.() -]*\.csv(\.gz)?$/i;
const KEV_FILE = /^known_exploited_vulnerabilities[\w.() -]*\.json$/i;

/**
 * Makes the table anew from the published files in `folder`. Of several files of one kind the last by name is taken: the
 * names of the daily ones hold their date.
 * @param inForce what there is; a part without a file stays as it is
 * @throws AppError invalid_request naming file and line; nothing is changed then
 */
export async function updateTables(dataFolder: string, folder: string, inForce: Tables): Promise<EnrichmentUpdate> {
  const names = await filesIn(folder);
  const epssFile = names.findLast((name) => EPSS_FILE.test(name));
  const kevFile = names.findLast((name) => KEV_FILE.test(name));
  if (epssFile === undefined && kevFile === undefined) {
    throw new AppError(
      'invalid_request',
      `${cleanLine(folder, 500)} holds neither EPSS scores nor the KEV catalogue.`,
      {
        hint: 'Put epss_scores-current.csv.gz or known_exploited_vulnerabilities.json there, as they were downloaded.',
      },
    );
  }
  const epss = epssFile === undefined ? inForce.epss : await readEpss(join(folder, epssFile), epssFile);
  const kev = kevFile === undefined ? inForce.kev : await readKev(join(folder, kevFile), kevFile);
  await writeTables(dataFolder, { ...(epss && { epss }), ...(kev && { kev }) });
  return {
    facts: { ...(epss && { epss: epss.facts }), ...(kev && { kev: kev.facts }) },
    ...(epssFile === undefined ? {} : { epssFile }),
    ...(kevFile === undefined ? {} : { kevFile }),
  };
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).toSorted();
    const found = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => undefined)));
    return names.filter((_, index) => found[index]?.isFile());
  } catch (cause) {
    throw new AppError('invalid_request', `${cleanLine(folder, 500)} cannot be read.`, {
      cause,
      hint: 'Name the folder that holds the downloaded files.',
    });
  }
}
