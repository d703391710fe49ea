import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import {
  CreatedScan,
  Details,
  Editor,
  Export,
  ExportStatus,
  Folders,
  Launched,
  Nothing,
  Properties,
  ScanList,
  ScannerList,
  Session,
  Status,
  Templates,
  Uploaded,
  scanConfig,
  wireId,
  type Folder,
  type ListedScan,
  type ListedScanner,
  type ScanConfig,
} from './answers.ts';
import type { NessusClient, Written } from './client.ts';
import type { Outcome, StreamReply } from './exchange.ts';

/** Where a download may be; versions differ in which they know. */
export type ExportFile = z.infer<typeof Export>;

export interface NewScan {
  readonly template: string;
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly credentials?: unknown;
  /** What `credentials` holds and no error may repeat. */
  readonly secrets: readonly string[];
}

/** The calls scanmux makes, one line each. Ids were checked when they came in. */
export interface NessusApi {
  readonly where: string;
  /** Also while it starts; undefined where there is no such call. */
  status(signal: AbortSignal): Promise<z.infer<typeof Status> | undefined>;
  properties(signal: AbortSignal): Promise<Properties | undefined>;
  session(signal: AbortSignal): Promise<z.infer<typeof Session> | undefined>;
  folders(signal: AbortSignal): Promise<readonly Folder[]>;
  templates(signal: AbortSignal): Promise<readonly { readonly uuid: string; readonly name: string }[]>;
  scanners(signal: AbortSignal): Promise<readonly ListedScanner[]>;
  scans(signal: AbortSignal): Promise<readonly ListedScan[]>;
  /** Undefined: there is no such scan, or no such run of it. */
  details(scan: string, history: string | undefined, signal: AbortSignal): Promise<Details | undefined>;
  /** How it was written; undefined where that cannot be read. */
  config(scan: string, signal: AbortSignal): Promise<ScanConfig | undefined>;
  create(scan: NewScan, signal: AbortSignal): Promise<Written<z.infer<typeof CreatedScan>>>;
  launch(scan: string, signal: AbortSignal): Promise<Written<z.infer<typeof Launched>>>;
  stop(scan: string, signal: AbortSignal): Promise<Written<unknown>>;
  /** Takes credentials out of a scan, and with them the key files nobody else uses. */
  dropCredentials(scan: string, config: ScanConfig, signal: AbortSignal): Promise<Written<unknown>>;
  move(scan: string, folder: string, signal: AbortSignal): Promise<Written<unknown>>;
  remove(scan: string, signal: AbortSignal): Promise<Written<unknown>>;
  requestExport(scan: string, history: string | undefined, signal: AbortSignal): Promise<Written<ExportFile>>;
  /** Undefined where this version has no such route, or the file is gone. */
  exportStatus(path: string, signal: AbortSignal): Promise<string | undefined>;
  download(path: string, signal: AbortSignal): Promise<Outcome<StreamReply>>;
  upload(name: string, content: string, signal: AbortSignal): Promise<Written<z.infer<typeof Uploaded>>>;
  close(): Promise<void>;
}

const GONE = [404];
/** Versions without a call answer so. */
const NO_SUCH_CALL = [400, 403, 404, 405, 410, 501];

const ofRun = (history: string | undefined): string => (history === undefined ? '' : `?history_id=${history}`);

export function createNessusApi(client: NessusClient): NessusApi {
  return {
    where: client.where,
    ...instanceCalls(client),
    ...scanCalls(client),
    ...controlCalls(client),
    ...reportCalls(client),
    close: () => client.close(),
  };
}

type Calls<K extends keyof NessusApi> = Pick<NessusApi, K>;

function instanceCalls(
  client: NessusClient,
): Calls<'status' | 'properties' | 'session' | 'folders' | 'templates' | 'scanners' | 'upload'> {
  return {
    status: (signal) =>
      client.read({ path: '/server/status', schema: Status, accepted: [503], absent: NO_SUCH_CALL, tries: 1 }, signal),
    properties: (signal) =>
      client.read({ path: '/server/properties', schema: Properties, absent: NO_SUCH_CALL, tries: 1 }, signal),
    session: (signal) =>
      client.read({ path: '/session', schema: Session, absent: [403, 404, 405, 501], tries: 1 }, signal),
    async folders(signal) {
      const found = await client.read({ path: '/folders', schema: Folders, absent: NO_SUCH_CALL }, signal);
      return (found ?? (await client.read({ path: '/scans', schema: Folders }, signal)))?.folders ?? [];
    },
    async templates(signal) {
      return (await client.read({ path: '/editor/scan/templates', schema: Templates }, signal))?.templates ?? [];
    },
    async scanners(signal) {
      return (await client.read({ path: '/scanners', schema: ScannerList }, signal))?.scanners ?? [];
    },
    upload: (name, content, signal) =>
      client.write(
        {
          method: 'POST',
          path: '/file/upload?no_enc=1',
          raw: filePart(name, content),
          schema: Uploaded,
          secrets: [content],
        },
        signal,
      ),
  };
}

function scanCalls(client: NessusClient): Calls<'scans' | 'details' | 'config' | 'dropCredentials' | 'create'> {
  return {
    async scans(signal) {
      return (await client.read({ path: '/scans', schema: ScanList }, signal))?.scans ?? [];
    },
    details: (scan, history, signal) =>
      client.read({ path: `/scans/${scan}${ofRun(history)}`, schema: Details, absent: GONE }, signal),
    async config(scan, signal) {
      const editor = await client.read({ path: `/editor/scan/${scan}`, schema: Editor, absent: NO_SUCH_CALL }, signal);
      return editor && scanConfig(editor);
    },
    dropCredentials: (scan, { template, name, description, targets, credentials }, signal) =>
      client.write(
        {
          method: 'PUT',
          path: `/scans/${scan}`,
          body: {
            uuid: template,
            settings: { name, description, text_targets: targets },
            credentials: { add: {}, edit: {}, delete: (credentials ?? []).map(wireId) },
          },
          schema: Nothing,
          expected: [404, 409],
        },
        signal,
      ),
    create: ({ template, settings, credentials, secrets }, signal) =>
      client.write(
        {
          method: 'POST',
          path: '/scans',
          body: { uuid: template, settings, ...(credentials === undefined ? {} : { credentials }) },
          schema: CreatedScan,
          secrets,
        },
        signal,
      ),
  };
}

/** Writes that change one scan; 404 and 409 are for the caller to understand. */
function controlCalls(client: NessusClient): Calls<'launch' | 'stop' | 'move' | 'remove'> {
  const expected = [404, 409];
  return {
    launch: (scan, signal) =>
      client.write({ method: 'POST', path: `/scans/${scan}/launch`, body: {}, schema: Launched, expected }, signal),
    stop: (scan, signal) =>
      client.write({ method: 'POST', path: `/scans/${scan}/stop`, schema: Nothing, expected }, signal),
    move: (scan, folder, signal) =>
      client.write(
        {
          method: 'PUT',
          path: `/scans/${scan}/folder`,
          body: { folder_id: wireId(folder) },
          schema: Nothing,
          expected,
        },
        signal,
      ),
    remove: (scan, signal) =>
      client.write({ method: 'DELETE', path: `/scans/${scan}`, schema: Nothing, expected }, signal),
  };
}

function reportCalls(client: NessusClient): Calls<'requestExport' | 'exportStatus' | 'download'> {
  return {
    requestExport: (scan, history, signal) =>
      client.write(
        {
          method: 'POST',
          path: `/scans/${scan}/export${ofRun(history)}`,
          body: { format: 'nessus' },
          schema: Export,
          expected: [404, 409],
        },
        signal,
      ),
    async exportStatus(path, signal) {
      return (await client.read({ path, schema: ExportStatus, absent: NO_SUCH_CALL }, signal))?.status;
    },
    download: (path, signal) => client.download(path, signal),
  };
}

/** One file as `multipart/form-data` (RFC 7578). The name is ours. */
function filePart(name: string, content: string): { readonly type: string; readonly bytes: Buffer } {
  const boundary = `scanmux-${randomBytes(16).toString('hex')}`;
  const text =
    `--${boundary}\r\nContent-Disposition: form-data; name="Filedata"; filename="${name}"\r\n` +
    `Content-Type: application/octet-stream\r\n\r\n${content}\r\n--${boundary}--\r\n`;
  return { type: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.from(text) };
}
