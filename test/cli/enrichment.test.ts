import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlace, runCommand, type Place } from './command-process.ts';

let place: Place;
beforeEach(() => {
  place = createPlace();
});
afterEach(() => place.clean());

const today = (): string => new Date().toISOString().slice(0, 10);

function downloaded(date: string): string {
  const folder = join(place.folder, 'downloads');
  mkdirSync(folder, { recursive: true });
  const csv = `#model_version:v2025.03.14,score_date:${date}T00:00:00+0000\ncve,epss,percentile\nCVE-2021-44228,0.94,0.99\n`;
  writeFileSync(join(folder, 'epss_scores-current.csv.gz'), gzipSync(csv));
  const vulnerabilities = [{ cveID: 'CVE-2021-44228', dateAdded: '2021-12-10' }];
  const kev = { catalogVersion: '2026.11.19', dateReleased: `${date}T10:00:00.000Z`, count: 1, vulnerabilities };
  writeFileSync(join(folder, 'known_exploited_vulnerabilities.json'), JSON.stringify(kev));
  return folder;
}

const doctorLine = async (): Promise<string | undefined> =>
  (await runCommand(place, ['doctor'])).stdout.split('\n').find((line) => line.includes('scores'));

describe('scanmux data update', () => {
  it('says what it read, and the doctor says how old it is', async () => {
    expect(await doctorLine()).toMatch(/^ok +scores +no local EPSS and KEV data/);
    const { code, stdout } = await runCommand(place, ['data', 'update', '--from', downloaded(today())]);
    expect(stdout).toBe(
      `EPSS: 1 scores of ${today()}, model v2025.03.14 (from epss_scores-current.csv.gz).\n` +
        'KEV:  1 vulnerabilities, 2026.11.19 (from known_exploited_vulnerabilities.json).\n',
    );
    expect(code).toBe(0);
    expect(await doctorLine()).toMatch(new RegExp(`^ok +scores +EPSS of ${today()} \\(1 CVEs\\), KEV 2026.11.19`));
    expect((await runCommand(place, ['audit', 'tail'])).stdout).toMatch(/data_update {2}allowed/);
  });

  it('of old files makes the doctor ask for newer ones', async () => {
    await runCommand(place, ['data', 'update', '--from', downloaded('2024-01-01')]);
    expect(await doctorLine()).toMatch(/^warn +scores .*\d+ days old\. Fix: .*scanmux data update --from/);
  });

  it('of older files is refused until it is said that they are meant', async () => {
    await runCommand(place, ['data', 'update', '--from', downloaded('2026-11-20')]);
    const folder = downloaded('2026-11-01');
    const refused = await runCommand(place, ['data', 'update', '--from', folder]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/older[^]*Nothing was changed[^]*--allow-older/),
    ]);
    const taken = await runCommand(place, ['data', 'update', '--from', folder, '--allow-older']);
    expect([taken.code, taken.stdout]).toEqual([0, expect.stringContaining('scores of 2026-11-01')]);
  });

  it('that is killed before its table is in its place leaves the old one', async () => {
    await runCommand(place, ['data', 'update', '--from', downloaded('2026-11-19')]);
    const before = readFileSync(join(place.data, 'enrichment.db'));
    const killer = join(place.folder, 'killer.mjs');
    writeFileSync(
      killer,
      `import fs from 'node:fs/promises';
       import { syncBuiltinESMExports } from 'node:module';
       const { rename } = fs;
       fs.rename = (from, to) => String(to).endsWith('enrichment.db') ? process.kill(process.pid, 'SIGKILL') : rename(from, to);
       syncBuiltinESMExports();`,
    );
    const env = { NODE_OPTIONS: `--import=${pathToFileURL(killer).href}` };
    const { signal } = await runCommand(place, ['data', 'update', '--from', downloaded('2026-11-20')], { env });
    expect(signal).toBe('SIGKILL');
    expect(readFileSync(join(place.data, 'enrichment.db'))).toEqual(before);
    const again = await runCommand(place, ['data', 'update', '--from', downloaded('2026-11-20')]);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('scores of 2026-11-20')]);
  });

  it('of a broken file changes nothing and says where it is broken', async () => {
    const folder = downloaded(today());
    writeFileSync(join(folder, 'epss_scores-current.csv.gz'), gzipSync('<html>'));
    const { code, stderr } = await runCommand(place, ['data', 'update', '--from', folder]);
    expect(stderr).toMatch(/invalid_request: epss_scores-current\.csv\.gz, line 1 [^]*Nothing was changed/);
    expect(code).not.toBe(0);
    expect(existsSync(join(place.data, 'enrichment.db'))).toBe(false);
  });
});
