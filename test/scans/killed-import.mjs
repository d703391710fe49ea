// Claims a folder as an import does, fills it, tells its scan id and waits to be killed.
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [, , folder] = process.argv;
const scanId = 'scan_0123456789abcdefghjk';
// The identity text of this process, as platform/process-identity.ts writes it (Linux).
const stat = readFileSync('/proc/self/stat', 'utf8');
const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const space = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))[0];
mkdirSync(join(folder, scanId, '1'), { recursive: true });
writeFileSync(join(folder, `${scanId}.claim`), `${boot}/${space}|${process.pid}|${started}`);
writeFileSync(join(folder, scanId, '1', 'report.raw'), 'half a report');
process.send(scanId);
setInterval(() => undefined, 1_000);
