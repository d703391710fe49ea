import { randomBytes } from 'node:crypto';
import { AppError } from '../../../model/errors.ts';
import { secretsOf, type Credential } from '../../../model/credential.ts';
import type { ScanJob } from '../../scanner.ts';
import { allowsControl, wireId } from '../api/answers.ts';
import { editionError, unreachable, type Fault } from '../api/faults.ts';
import type { NewScan } from '../api/nessus-api.ts';
import { credentialsPayload, type KeyFiles } from './credentials.ts';
import type { NessusInstance } from './instance.ts';
import { defaultTemplate, intensitySettings, isAdvanced, portRangeOf, targetList } from './new-scan.ts';
import { foremost, scansNamed } from './own-scans.ts';
import { isAway } from './patience.ts';
import { descriptionOf, type RemoteRun } from './remote-run.ts';
import { withLeft } from './take-back.ts';

/** Between looks for a scan that may have been made: the scanner may still be at it. */
const LOOKS_MS = [0, 1_000, 3_000];

/**
 * Makes the remote scan of an attempt, once. When the answer does not come, it is looked for by its marker.
 * @throws AppError config_invalid, option_unsupported, scanner_edition_forbids_api, scanner_unreachable, ...
 */
export async function createRemote(
  instance: NessusInstance,
  job: ScanJob,
  credential: Credential | undefined,
  marker: string,
  signal: AbortSignal,
): Promise<RemoteRun> {
  const keys: string[] = [];
  try {
    const scan = await newScan(instance, job, credential, { marker, keys }, signal);
    return await createOnce(instance, scan, marker, signal);
  } catch (error) {
    // Without a login nothing is there that anybody could use.
    throw job.request.access === 'untrusted' ? error : withLeft(error, keysLeft(instance, keys, marker, error));
  }
}

/** No call removes a file that no scan uses. */
function keysLeft(
  { api }: NessusInstance,
  keys: readonly string[],
  marker: string,
  error: unknown,
): string | undefined {
  const scan =
    error instanceof AppError && error.code === 'scanner_unreachable'
      ? `delete a scan ${JSON.stringify(marker)}, should it be at the scanner at ${api.where}: it holds the login.`
      : undefined;
  if (keys.length === 0) return scan && `Operator: ${scan}`;
  const files = `the key file ${keys.join(' and ')} may still be at the scanner at ${api.where}, whose API removes no file without a scan; replace the key if others use that scanner.`;
  return `Operator: ${files}${scan === undefined ? '' : ` And ${scan}`}`;
}

/** What to say of an attempt that ended between the upload of a key and the making of its scan, as far as is known. */
export function orphanedKey(
  { api }: NessusInstance,
  { scanId }: Pick<ScanJob, 'scanId'>,
  credential: Credential | undefined,
): string[] {
  if (credential?.kind !== 'ssh_key' && credential?.kind !== 'ssh_certificate') return [];
  const file = `a key file ${keyName(scanId)}... of an attempt of this scan that was killed`;
  return [
    `Operator: ${file} may be at the scanner at ${api.where}, whose API removes no file without a scan; replace the key if others use that scanner.`,
  ];
}

const keyName = (scanId: string): string => `scanmux-${scanId}-`;

async function createOnce(
  instance: NessusInstance,
  scan: NewScan,
  marker: string,
  signal: AbortSignal,
): Promise<RemoteRun> {
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    const written = await instance.api.create(scan, signal);
    if (written.kind === 'done') return { id: written.value.scan.id, marker };
    const fault: Fault = written.kind === 'unclear' ? written.fault : { kind: 'odd', why: `status ${written.status}` };
    await requireScanApi(instance);
    const found = await look(instance, marker);
    if (found !== undefined) return { id: found, marker };
    // It was looked for and is not there. What was slow may still come, so only a broken connection is tried again.
    if (attempt > 1 || fault.kind === 'slow') throw unreachable(instance.api.where, fault);
  }
}

/** Servers that forbid control of scans break the connection instead of saying so. @throws AppError */
export async function requireScanApi({ api, life }: NessusInstance): Promise<void> {
  const properties = await api.properties(life).catch((error: unknown) => {
    // What became of the write can be looked for all the same.
    if (!isAway(error)) throw error;
    return undefined;
  });
  if (!allowsControl(properties)) throw editionError(api.where);
}

/** Also goes on after an abort: what was made has to be known to be removed. */
async function look(instance: NessusInstance, marker: string): Promise<string | undefined> {
  for (const waitMs of LOOKS_MS) {
    await instance.timing.sleep(waitMs, instance.life);
    const found = foremost(await scansNamed(instance, marker, instance.life));
    if (found) return found.id;
  }
  return undefined;
}

async function newScan(
  instance: NessusInstance,
  job: ScanJob,
  credential: Credential | undefined,
  { marker, keys }: { readonly marker: string; readonly keys: string[] },
  signal: AbortSignal,
): Promise<NewScan> {
  const { api, options } = instance;
  const { request, targets, traceId } = job;
  const ports = portRangeOf(request);
  const name = options.template ?? defaultTemplate(request, ports);
  if (ports !== undefined && !isAdvanced(name)) {
    throw new AppError(
      'option_unsupported',
      `The template ${JSON.stringify(name)} of this instance has no choice of ports.`,
    );
  }
  const template = named(await api.templates(signal), name, 'template', ({ uuid }) => uuid);
  const folder = await folderOf(instance, signal);
  const scanner = await scannerOf(instance, signal);
  const login = await loginOf(instance, job, credential, keys, signal);
  return {
    template,
    settings: {
      name: marker,
      description: descriptionOf(marker, traceId),
      text_targets: targetList(targets),
      enabled: false,
      launch_now: false,
      launch: 'ON_DEMAND',
      ...(folder === undefined ? {} : { folder_id: wireId(folder) }),
      ...(scanner === undefined ? {} : { scanner_id: wireId(scanner) }),
      ...(ports === undefined ? {} : { portscan_range: ports }),
      ...(isAdvanced(name) ? intensitySettings(request) : {}),
    },
    ...login,
  };
}

function named<T extends { readonly name: string }>(
  items: readonly T[],
  name: string,
  key: string,
  idOf: (item: T) => string,
): string {
  const found =
    items.find((item) => item.name === name) ?? items.find((item) => item.name.toLowerCase() === name.toLowerCase());
  if (found) return idOf(found);
  const known = items.slice(0, 30).map((item) => item.name);
  throw new AppError(
    'config_invalid',
    `The scanner has no ${key} ${JSON.stringify(name)}; it has ${known.join(', ') || 'none'}.`,
  );
}

/** Ids of folders are not fixed: found by name, or by the type of the main one. */
async function folderOf({ api, options }: NessusInstance, signal: AbortSignal): Promise<string | undefined> {
  const folders = await api.folders(signal);
  if (options.folder !== undefined) return named(folders, options.folder, 'folder', ({ id }) => id);
  return folders.find(({ type }) => type === 'main')?.id;
}

/** Tenable names a scanner by its UUID, Nessus by its number. */
async function scannerOf({ api, options }: NessusInstance, signal: AbortSignal): Promise<string | undefined> {
  const { scannerName: name, scannerKey: key } = options;
  if (name === undefined) return undefined;
  return named(await api.scanners(signal), name, 'scanner_name', (scanner) => scanner[key] ?? scanner.id);
}

async function loginOf(
  instance: NessusInstance,
  { request, scanId }: ScanJob,
  credential: Credential | undefined,
  keys: string[],
  signal: AbortSignal,
): Promise<Pick<NewScan, 'credentials' | 'secrets'>> {
  if (request.access === 'untrusted') return { secrets: [] };
  if (!credential)
    throw new AppError('credential_unknown', 'The scan is to log in, and there is nothing to log in with.');
  const files = await uploadKeys(instance, credential, { scanId, keys }, signal);
  return { credentials: credentialsPayload(credential, files), secrets: secretsOf(credential) };
}

/** @param keys Takes the names of the files before they are sent: one whose answer does not come may be there. */
async function uploadKeys(
  { api }: NessusInstance,
  credential: Credential,
  { scanId, keys }: { readonly scanId: string; readonly keys: string[] },
  signal: AbortSignal,
): Promise<KeyFiles | undefined> {
  if (credential.kind !== 'ssh_key' && credential.kind !== 'ssh_certificate') return undefined;
  const upload = async (name: string, content: string): Promise<string> => {
    signal.throwIfAborted();
    keys.push(name);
    const written = await api.upload(name, content, signal);
    if (written.kind === 'done') return written.value.fileuploaded;
    throw unreachable(
      api.where,
      written.kind === 'unclear' ? written.fault : { kind: 'odd', why: 'it takes no files' },
    );
  };
  // A name of its own: another scan's key of the same name would take its place. With the scan, for whoever finds it.
  const name = `${keyName(scanId)}${randomBytes(6).toString('hex')}`;
  const privateKey = await upload(name, credential.privateKey);
  if (credential.kind === 'ssh_key') return { privateKey };
  return { privateKey, certificate: await upload(`${name}-cert.pub`, credential.certificate) };
}
