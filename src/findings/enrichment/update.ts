import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import type { EnrichmentUpdate, UpdateOptions } from './enrichment.ts';
import { readEpss } from './epss-file.ts';
import { readKev } from './kev-file.ts';
import { requireNewerEpss, requireNewerKev } from './replaceable.ts';
import { writeTables, type Tables } from './table-file.ts';

/** As FIRST and CISA name them; a browser may have added ` (1)`. */
const EPSS_FILE = /^epss[\w.() -]*\.csv(\.gz)?$/i;
const KEV_FILE = /^known_exploited_vulnerabilities[\w.() -]*\.json$/i;

/**
 * Makes the table anew from the published files in `folder`. Of several files of one kind the last by name is taken: the
 * names of the daily ones hold their date.
 * @param inForce what there is; a part without a file stays as it is
 * @throws AppError invalid_request naming file and line, or what is in use and newer; nothing is changed then
 */
export async function updateTables(
  dataFolder: string,
  folder: string,
  { inForce, allowOlder = false }: UpdateOptions & { readonly inForce: Tables },
): Promise<EnrichmentUpdate> {
  const files = await publishedFiles(folder);
  const found = await readFiles(folder, files);
  if (!allowOlder) requireNewer(files, found, inForce);
  const { epss, kev } = { ...inForce, ...found };
  await writeTables(dataFolder, { ...(epss && { epss }), ...(kev && { kev }) });
  return { facts: { ...(epss && { epss: epss.facts }), ...(kev && { kev: kev.facts }) }, ...files };
}

type Files = Pick<EnrichmentUpdate, 'epssFile' | 'kevFile'>;

async function publishedFiles(folder: string): Promise<Files> {
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
  return { ...(epssFile !== undefined && { epssFile }), ...(kevFile !== undefined && { kevFile }) };
}

const readFiles = async (folder: string, { epssFile, kevFile }: Files): Promise<Tables> => ({
  ...(epssFile !== undefined && { epss: await readEpss(join(folder, epssFile), epssFile) }),
  ...(kevFile !== undefined && { kev: await readKev(join(folder, kevFile), kevFile) }),
});

function requireNewer({ epssFile = '', kevFile = '' }: Files, { epss, kev }: Tables, inForce: Tables): void {
  if (epss) requireNewerEpss(epssFile, epss.facts, inForce.epss?.facts);
  if (kev) requireNewerKev(kevFile, kev.facts, inForce.kev?.facts);
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
