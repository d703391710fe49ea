import { join } from 'node:path';
import type { FindingsRef, FindingsStore } from '../src/findings/findings.ts';
import { RuleFacts, Severity } from '../src/model/finding.ts';
import type { Occurrence } from '../src/model/finding.ts';
import { newScanId } from '../src/model/ids.ts';
import type { ReportEvent } from '../src/model/report.ts';

const RULES = 3_000;
const HOSTS = 20_000;
/** Words of every tenth finding, and of every hundred thousandth. */
export const COMMON_WORDS = 'session resumption';
export const RARE_WORD = 'quillwort';

const WORDS =
  'server version apache openssl remote host installed path port tls cipher expired certificate detected running service kernel package library'.split(
    ' ',
  );

/** Numbers that look random and are the same in every run; below `limit`. */
function createNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function ruleOf(n: number, next: (limit: number) => number): RuleFacts {
  const severity = Severity.options[Math.max(0, next(8) - 3)] ?? 'info';
  const hasScore = severity !== 'info';
  return RuleFacts.parse({
    rule_id: `bench:${n}`,
    rule_family: `family ${n % 40}`,
    title: `Weakness ${n} of the bench`,
    severity,
    severity_source: 'rule',
    description: `What weakness ${n} means, in a sentence or two. `.repeat(6),
    solution: `Update package ${n % 700} to its newest release.`,
    cvss: hasScore ? [{ version: '3.1', score: next(100) / 10 }] : [],
    cves: hasScore ? Array.from({ length: next(4) }, () => `CVE-2024-${1_000 + next(9_000)}`) : [],
    ...(hasScore ? { epss: next(1_000) / 1_000 } : {}),
    kev: hasScore && n % 60 === 0,
    exploit_available: hasScore && n % 15 === 0,
  });
}

/** 300 to 800 bytes of what services say. */
function output(n: number, next: (limit: number) => number): string {
  const parts: string[] = [`finding ${n}`];
  const length = 300 + next(500);
  for (let size = 0; size < length;) {
    const word = next(5) === 0 ? String(next(1_000_000)) : (WORDS[next(WORDS.length)] ?? '');
    parts.push(word);
    size += word.length + 1;
  }
  if (n % 10 === 0) parts.push(COMMON_WORDS);
  if (n % 100_000 === 7) parts.push(RARE_WORD);
  return parts.join(' ');
}

/** Findings as a scan of a large network has them: few rules at many hosts, each with words of its own. */
export async function* largeReport(findings: number): AsyncGenerator<ReportEvent> {
  const next = createNumbers(7);
  const rules = Array.from({ length: RULES }, (_, n) => ruleOf(n, next));
  for (let n = 0; n < findings; n += 1) {
    const host = next(HOSTS);
    // Some rules are everywhere, most are rare.
    const rule = rules[Math.min(next(RULES), next(RULES))];
    const ip = `10.${host >> 12}.${(host >> 6) & 63}.${host & 63}`;
    const occurrence: Occurrence = {
      location: { ip, port: [22, 80, 443, 8_080][next(4)] ?? 1_024 + next(60_000), protocol: 'tcp' },
      untrusted: { output: output(n, next) },
      discriminator: String(n),
    };
    if (rule) yield { kind: 'occurrence', rule, occurrence };
  }
  yield { kind: 'end' };
}

/** Writes a large scan into a folder. */
export async function writeLargeScan(store: FindingsStore, folder: string, findings: number): Promise<FindingsRef> {
  const scanId = newScanId();
  const { artefact } = await store.ingest({
    scanId,
    epoch: 1,
    engine: 'bench',
    folder,
    targets: 'as_reported',
    events: largeReport(findings),
  });
  return { file: join(folder, artefact.path), scanId };
}
