import { describe, expect, it } from 'vitest';
import { baselineFormat } from '../../src/scanners/baseline/format.ts';
import { detectFormat } from '../../src/scanners/detect-format.ts';
import { grypeFormat } from '../../src/scanners/grype/parse.ts';
import { nativeFormat } from '../../src/scanners/native/format.ts';
import { nessusFormat } from '../../src/scanners/nessus/format.ts';
import { nmapFormat } from '../../src/scanners/nmap/format.ts';
import { nucleiFormat } from '../../src/scanners/nuclei/parse.ts';
import { openvasFormat } from '../../src/scanners/openvas/format.ts';
import { HEAD_BYTES } from '../../src/scanners/report-format.ts';
import { sarifFormat } from '../../src/scanners/sarif/parse.ts';
import { trivyFormat } from '../../src/scanners/trivy/parse.ts';
import { zapJsonFormat } from '../../src/scanners/zap/json.ts';
import { zapXmlFormat } from '../../src/scanners/zap/xml.ts';
import { contentOf, realFiles, REPORTS } from './real-files.ts';

const FORMATS = [
  nessusFormat,
  nucleiFormat,
  nmapFormat,
  zapJsonFormat,
  zapXmlFormat,
  trivyFormat,
  grypeFormat,
  openvasFormat,
  sarifFormat,
  nativeFormat,
  baselineFormat,
];

/** Files that say too little of themselves: whoever imports them names the format. */
const SAYS_TOO_LITTLE: Readonly<Record<string, RegExp>> = {
  'dd-empty.jsonl': /is empty/,
  'scb-test-empty-report.json': /a JSON list without keys/,
  // Not nmap's: a file that was written to try readers of XML.
  'libnmap-defused_et_included.xml': /XML with the root element root/,
};

/** Reports of tools that are read by no format here, and what they are told. */
const OTHERS: Readonly<Record<string, RegExp>> = {
  'README.md': /some other text/,
  'bandit.stdout': /JSON with the keys errors, generated_at/,
  'nikto.json': /JSON/,
  'retire.stdout': /is empty/,
  'sslscan-nginx.xml': /XML with the root element document/,
  'testssl-33-weak-pretty.json': /JSON/,
  'wapiti.json': /JSON/,
  'whatweb.stdout': /./,
};

function detected(folder: string, file: string, bytes = HEAD_BYTES): string {
  try {
    return detectFormat(contentOf(folder, file).subarray(0, bytes), FORMATS).name;
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown';
  }
}

describe('the format of real files', () => {
  const folders = ['grype', 'nessus', 'nmap', 'nuclei', 'openvas', 'sarif', 'trivy', 'zap'];
  if (realFiles('nmap').length === 0) {
    it(`cannot be compared: they are not on this machine (${REPORTS})`, () => {
      expect(realFiles('nessus')).toEqual([]);
    });
  }
  for (const folder of folders) {
    for (const file of realFiles(folder)) {
      const refusal = SAYS_TOO_LITTLE[file];
      it(`${folder}/${file} is ${refusal ? 'not known' : folder}`, () => {
        if (refusal) expect(detected(folder, file)).toMatch(refusal);
        else expect(detected(folder, file)).toBe(folder);
      });
      it(`${folder}/${file} is never taken for another one, however little of it is there`, () => {
        for (const bytes of [1, 10, 40, 100, 200, 500, 1_000, 4_000, 20_000])
          expect([folder, expect.stringMatching(/no known report/)]).toContainEqual(detected(folder, file, bytes));
      });
    }
  }

  for (const file of realFiles('loopback')) {
    const isNmap = file.startsWith('nmap-') && !file.endsWith('.txt');
    it(`loopback/${file} is ${isNmap ? 'nmap' : 'none of them'}`, () => {
      if (isNmap) expect(detected('loopback', file)).toBe('nmap');
      else expect(detected('loopback', file)).toMatch(OTHERS[file] ?? /no known report/);
    });
  }
});
