import { readFileSync, statSync } from 'node:fs';
import { createReadStream } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { newScanId } from '../../src/model/ids.ts';
import { finishScan, rawOf, recordOf, runScan, share, titlesOn, type Machine } from '../findings/remote/machines.ts';

const nothing = () => Promise.resolve(new Map<string, ReadonlySet<number>>());

/**
 * The promises every store of artefacts makes.
 * @param open Two processes on one store; each call another one.
 */
export function describeScanFilesContract(name: string, open: () => Promise<readonly [Machine, Machine]>): void {
  describe(`${name} keeps the scan files contract`, () => {
    let here: Machine;
    let there: Machine;
    beforeEach(async () => {
      [here, there] = await open();
    });

    const readRaw = ({ files }: Machine, scan: Parameters<typeof rawOf>[0]): Promise<string> => {
      const path = files.pathOf(scan.scanId, rawOf(scan));
      return files.whilePresent([path], async () => readFileSync(path, 'utf8'));
    };

    it('gives what one process shared to another, as it was', async () => {
      const scan = await finishScan(here, { raw: 'as it was' });
      expect(await titlesOn(there, scan)).toEqual(await titlesOn(here, scan));
      expect([await readRaw(there, scan), await readRaw(here, scan)]).toEqual(['as it was', 'as it was']);
    });

    it('keeps the attempts of one scan apart', async () => {
      const scanId = newScanId();
      const first = await finishScan(here, { scanId, epoch: 1, raw: 'first' });
      const second = await finishScan(there, { scanId, epoch: 2, raw: 'second', count: 5 });
      expect([await readRaw(there, first), await readRaw(here, second)]).toEqual(['first', 'second']);
      expect(await titlesOn(here, second)).toHaveLength(5);
    });

    it('gives what was written before it is shared to the process that wrote it', async () => {
      const scan = await runScan(here, { raw: 'own' });
      expect(await titlesOn(here, scan)).toHaveLength(3);
      const chunks = await createReadStream(here.files.pathOf(scan.scanId, rawOf(scan))).toArray();
      expect(Buffer.concat(chunks).toString()).toBe('own');
    });

    it('lets share be called again', async () => {
      const scan = await finishScan(here);
      await share(here, scan);
      expect(await titlesOn(there, scan)).toHaveLength(3);
    });

    it('keeps what it has for its owner alone', async () => {
      const scan = await finishScan(here);
      const path = there.files.findingsOf(scan) ?? '';
      const mode = await there.files.whilePresent([path], async () => statSync(path).mode & 0o777);
      expect(mode).toBe(0o600);
    });

    it('removes scans everywhere, and those that are not there without a word', async () => {
      const [gone, kept] = [await finishScan(here), await finishScan(here)];
      await there.files.removeScans([gone.scanId, newScanId()]);
      await there.files.removeScans([gone.scanId]);
      await expect(readRaw(there, gone)).rejects.toThrow();
      expect(await titlesOn(there, kept)).toHaveLength(3);
    });

    it('removes nothing for text that is no scan id', async () => {
      const scan = await finishScan(here);
      await here.files.removeScans(['', '.', '..', scan.scanId.slice(0, -1), `${scan.scanId}/1`, '*']);
      expect(await titlesOn(there, scan)).toHaveLength(3);
    });

    it('keeps what records refer to when it is swept', async () => {
      const scan = await finishScan(here);
      await there.files.sweep(() => Promise.resolve(new Map([[scan.scanId, new Set([1])]])));
      await there.files.sweepAbandoned(nothing);
      expect(await titlesOn(there, scan)).toHaveLength(3);
    });

    it('keeps what another process has claimed when it is swept, and loses it when that is discarded', async () => {
      const scanId = newScanId();
      const claim = await here.files.claim(scanId, 1);
      const scan = await runScan(here, { scanId });
      await there.files.sweep(nothing);
      await there.files.sweepAbandoned(nothing);
      expect(await titlesOn(here, scan)).toHaveLength(3);
      await share(here, scan);
      await claim.discard();
      await expect(readRaw(there, scan)).rejects.toThrow();
    });

    it('names no file outside of itself, whatever a record says', () => {
      const artefact = { kind: 'findings', bytes: 1, sha256: 'a'.repeat(64) } as const;
      const paths = ['../../x', '1/../../x', '/etc/passwd', '1/a/b', '1\\x', '1/..', '1/.', '', '1/', 'x/y', '1/x\0'];
      for (const path of [...paths, '1/-x', '-1/x', `1/${'x'.repeat(300)}`]) {
        const scan = recordOf(newScanId(), [{ ...artefact, path }]);
        expect(() => here.files.findingsOf(scan), path).toThrow(/cannot be one of/);
      }
      for (const scanId of ['..', 'a/b', '', 'scan_../x', '.']) {
        expect(() => here.files.pathOf(scanId, { ...artefact, path: '1/x.db' }), scanId).toThrow(/cannot be one of/);
      }
    });

    it('has no findings of a scan that wrote none', () => {
      expect(here.files.findingsOf(recordOf(newScanId(), []))).toBeUndefined();
    });

    it('answers when it is asked', async () => {
      await here.files.check();
    });
  });
}
