import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseNuclei } from '../src/scanners/nuclei/parse.ts';
import type { Bench } from './bench.ts';
import { compare } from './harness.ts';
import type { Line } from './table.ts';

const TEMPLATES = 400;
const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'];
const WORDS = 'server header exposes version path allows remote attacker request response default panel'.split(' ');

/** Text of a length, different for every number, the same in every run. */
const prose = (number: number, words: number): string =>
  Array.from({ length: words }, (_, at) => WORDS[(number * 7 + at * 3) % WORDS.length]).join(' ');

/** One line as nuclei 3 writes it with its request and response: about 1,280 bytes. */
export function nucleiLine(number: number): string {
  const template = number % TEMPLATES;
  const host = `h${number % 5_000}.bench.test`;
  const id = `CVE-20${10 + (template % 15)}-${10_000 + template}`;
  return JSON.stringify({
    template: `http/cves/${id}.yaml`,
    'template-url': `https://cloud.projectdiscovery.io/public/${id}`,
    'template-id': id,
    'template-path': `/root/nuclei-templates/http/cves/${id}.yaml`,
    info: {
      name: prose(template, 5),
      author: ['pdteam', 'bench'],
      tags: ['cve', 'bench', ...(template % 50 === 0 ? ['kev'] : [])],
      description: prose(template, 24),
      reference: [`https://nvd.nist.gov/vuln/detail/${id}`, `https://vendor.test/advisories/${template}`],
      severity: SEVERITIES[template % SEVERITIES.length],
      metadata: { 'max-request': 2, verified: true },
      classification: {
        'cve-id': [id.toLowerCase()],
        'cwe-id': ['cwe-22'],
        'cvss-metrics': 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
        'cvss-score': 7.5,
      },
    },
    'matcher-name': `m${number % 3}`,
    type: 'http',
    host,
    port: '443',
    scheme: 'https',
    url: `https://${host}`,
    'matched-at': `https://${host}/app/${number}?q=${number % 17}`,
    'extracted-results': [`version ${number % 90}.1`],
    request: `GET /app/${number} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: bench\r\n\r\n`,
    response: `HTTP/1.1 200 OK\r\nServer: bench\r\n\r\n<html><title>${prose(number, 12)}</title></html>`,
    ip: `10.${number % 7}.${number % 250}.9`,
    timestamp: '2026-11-20T12:00:01.123456789Z',
    'matcher-status': true,
  });
}

async function writeReport(path: string, lines: number): Promise<number> {
  const out = createWriteStream(path);
  let bytes = 0;
  for (let number = 0; number < lines; number += 1_000) {
    const texts = Array.from({ length: Math.min(1_000, lines - number) }, (_, at) => `${nucleiLine(number + at)}\n`);
    const text = texts.join('');
    bytes += text.length;
    if (!out.write(text)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
  return bytes;
}

/** The least that reading JSON lines can cost without a splitter of our own. */
async function readlineFloor(path: string, lines: number): Promise<void> {
  let read = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object') read += 1;
  }
  if (read !== lines) throw new Error(`the floor read ${read} of ${lines} lines`);
}

async function parsed(path: string, lines: number): Promise<void> {
  let found = 0;
  for await (const event of parseNuclei(createReadStream(path))) if (event.kind === 'occurrence') found += 1;
  if (found !== lines) throw new Error(`${found} findings out of ${lines} lines`);
}

/** JSON lines of nuclei into findings: cleaned, checked and mapped, against only splitting and parsing them. */
export const nucleiLines: Bench = async (size) => {
  const folder = mkdtempSync(join(tmpdir(), 'nuclei-bench-'));
  const path = join(folder, 'report.jsonl');
  const lines = size === 'full' ? 1_000_000 : 200;
  try {
    const bytes = await writeReport(path, lines);
    const result = await compare({
      name: `nuclei JSON lines into findings, ${lines} lines, ${(bytes / 1e6).toFixed(0)} MB`,
      floor: { name: 'readline and JSON.parse', once: () => readlineFloor(path, lines) },
      subject: { name: 'parseNuclei', once: () => parsed(path, lines) },
      rounds: size === 'full' ? 3 : 2,
      perRound: 1,
      warmUp: size === 'full' ? 0 : 1,
    });
    const line: Line = {
      what: `${result.name}, lines`,
      measure: 'perSecond',
      floor: result.floor.perSecond * lines,
      ours: result.subject.perSecond * lines,
      ratio: result.ratio.perSecond,
      target: { of: 'ratio', atLeast: 0.25 },
    };
    return [line];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
