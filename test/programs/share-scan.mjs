// A worker with a disk of its own: writes the artefacts of one scan, shares them, and prints what its record would name.
// `share-scan.mjs <data folder> <url> <bucket> <prefix> <scan id> <findings>`
import { createFindingsStore } from '../../dist/findings/findings-store.js';
import { openScanFiles } from '../../dist/findings/open-scan-files.js';
import { ParsedFinding } from '../../dist/model/finding.js';

const [dataFolder, endpoint, bucket, prefix, scanId, count] = process.argv.slice(2);
const s3 = { bucket, prefix, endpoint, forcePathStyle: true, cacheBytes: 2 ** 30 };
const { files } = await openScanFiles({ dataFolder, reserveBytes: 0, bucket: s3 });
const findings = createFindingsStore({ whilePresent: files.whilePresent });
const sink = await files.openReport(scanId, 1, 2 ** 30);
sink.writable.end('a raw report');
const { artefact: raw } = await sink.close();

async function* events() {
  for (let at = 0; at < Number(count); at += 1) {
    const location = { ip: '10.0.0.1', port: at % 65_536, protocol: 'tcp' };
    const facts = { rule_id: `rule-${at}`, title: `Weakness ${at}`, severity: 'medium', severity_source: 'rule' };
    yield { kind: 'finding', finding: ParsedFinding.parse({ ...facts, location }) };
  }
  yield { kind: 'place', place: { place: '10.0.0.1', status: 'tested' } };
  yield { kind: 'end' };
}
const { artefact } = await findings.ingest({
  scanId,
  epoch: 1,
  engine: 'made',
  folder: await files.attemptFolder(scanId, 1),
  targets: 'as_reported',
  events: events(),
});
const artefacts = [raw, { ...artefact, path: `1/${artefact.path}` }];
await files.share(scanId, artefacts, new AbortController().signal);
process.stdout.write(JSON.stringify(artefacts));
await findings.close();
