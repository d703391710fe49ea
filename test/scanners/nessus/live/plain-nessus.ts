import { createServer, type Server, type ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import type { Credential } from '../../../../src/model/credential.ts';
import { newScanId, newTraceId } from '../../../../src/model/ids.ts';
import type { ScanRequest } from '../../../../src/model/scan.ts';
import type { Timing } from '../../../../src/scanners/nessus/api/timing.ts';
import { NessusSettings } from '../../../../src/scanners/nessus/live/settings.ts';
import { createNessusScanner, NESSUS } from '../../../../src/scanners/nessus/nessus-type.ts';
import type { Checkpoint, Scanner } from '../../../../src/scanners/scanner.ts';
import { scanRequest } from '../../../contracts/scanner-contract.ts';
import { address, type Attempt } from './harness.ts';

/** In `route`, `{id}` stands for any number or token of the path. */
export interface PlainCall {
  readonly route: string;
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly body: string;
  /** How often this route was called before. */
  readonly nth: number;
}

export interface PlainReply {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly type?: string;
}

/** `done`: it answered by itself. Undefined: as the plain server answers. */
type Odd = (call: PlainCall, response: ServerResponse) => PlainReply | 'done' | undefined;
export type Oddities = Readonly<Record<string, Odd>>;
/** Sends what the plain server would have sent. */
export type Sender = (reply: PlainReply, response: ServerResponse, nth: number) => void;

const sendPlainly: Sender = ({ status = 200, type = 'application/json', ...reply }, response) => {
  response.writeHead(status, { 'content-type': type }).end(bodyOf(reply));
};

export const bodyOf = ({ text: body, json }: PlainReply): string =>
  body ?? (json === undefined ? '' : JSON.stringify(json));

export interface PlainScan {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  launchedAt?: number;
  stoppedAt?: number;
}

const REPORT =
  '<?xml version="1.0" ?>\n<NessusClientData_v2><Report name="r"><ReportHost name="10.0.0.1">' +
  '<HostProperties><tag name="host-ip">10.0.0.1</tag></HostProperties></ReportHost></Report></NessusClientData_v2>\n';

const RUN_MS = 20_000;

/**
 * A Nessus with what the reference promises and nothing more: no editor, no fields that it does not name, one name per
 * route. `odd` answers in the place of a route. Its clock is that of the scanner beside it.
 */
export class PlainNessus {
  readonly scans: PlainScan[] = [];
  readonly calls: PlainCall[] = [];
  readonly #server: Server;
  readonly #odd: Oddities;
  readonly #scanners: Scanner[] = [];
  #passed = 0;

  private constructor(odd: Oddities, send: Sender) {
    this.#odd = odd;
    this.#server = createServer((request, response) => {
      void text(request).then((body) => {
        const url = new URL(request.url ?? '/', 'http://plain');
        const ids: string[] = [];
        const path = url.pathname.replaceAll(/\/(\d+|tok[\w-]+)(?=\/|$)/g, (_, id: string) => `/{${ids.push(id)}}`);
        const route = `${request.method} ${path.replaceAll(/\{\d+\}/g, '{id}')}`;
        const call = { route, ids, query: url.searchParams, body, nth: this.count(route) };
        this.calls.push(call);
        const reply = this.#odd[route]?.(call, response) ?? this.#answer(call);
        if (reply === 'done') return;
        send(reply, response, this.calls.length);
      });
    });
  }

  static async open(odd: Oddities = {}, send = sendPlainly): Promise<PlainNessus> {
    const plain = new PlainNessus(odd, send);
    await new Promise<void>((resolve) => void plain.#server.listen(0, '127.0.0.1', resolve));
    return plain;
  }

  count(route: string): number {
    return this.calls.filter((call) => call.route === route).length;
  }

  scanner(settings: Record<string, unknown> = {}): Scanner {
    const bound = this.#server.address();
    const url = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : 0}`;
    const timing: Timing = {
      now: () => this.#passed,
      monotonic: () => this.#passed,
      random: () => 0,
      sleep: async (ms, signal) => {
        signal.throwIfAborted();
        this.#passed += ms;
        await turn();
        signal.throwIfAborted();
      },
    };
    const login = 'username' in settings ? {} : { access_key: 'access', secret_key: 'secret' };
    const made = createNessusScanner(NessusSettings.parse({ url, ...login, ...settings }), NESSUS, timing);
    this.#scanners.push(made);
    return made;
  }

  async attempt(options: PlainAttempt = {}): Promise<Attempt> {
    const { scanner = this.scanner(), scanId = newScanId(), epoch = 1, credential, previous } = options;
    const targets = [address('10.0.0.1')];
    const report = new PassThrough();
    const written = text(report).catch(() => '');
    const progress: Attempt['progress'][number][] = [];
    const job = { scanId, traceId: newTraceId(), epoch, request: scanRequest(targets, options.request), targets };
    const result = await scanner
      .run(job, {
        signal: options.signal ?? new AbortController().signal,
        report,
        previous,
        ...(credential ? { credential } : {}),
        checkpoint: async (made) => {
          await turn();
          options.onCheckpoint?.(made);
        },
        progress: (step) => void progress.push(step),
      })
      .then(
        (outcome) => ({ outcome, error: undefined }),
        (error: unknown) => ({ outcome: undefined, error }),
      );
    return { ...result, report: await written, progress };
  }

  async close(): Promise<void> {
    for (const scanner of this.#scanners) await scanner.close?.();
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }

  statusOf({ launchedAt, stoppedAt }: PlainScan): string {
    if (launchedAt === undefined) return 'empty';
    if (stoppedAt !== undefined) return 'canceled';
    return this.#passed - launchedAt < RUN_MS ? 'running' : 'completed';
  }

  statuses(): string[] {
    return this.scans.map((scan) => this.statusOf(scan));
  }

  create(body: string): PlainScan {
    const { settings } = JSON.parse(body);
    const scan = { id: 40 + this.scans.length, name: settings.name, description: settings.description };
    this.scans.push(scan);
    return scan;
  }

  launch(id: string | undefined): void {
    const scan = this.scans.find((one) => String(one.id) === id);
    if (scan) scan.launchedAt = this.#passed;
  }

  #answer(call: PlainCall): PlainReply {
    const fixed = FIXED[call.route];
    if (fixed !== undefined) return fixed;
    if (call.route === 'POST /scans') {
      const { id, name } = this.create(call.body);
      return { json: { scan: { id, uuid: `template-${id}`, name, owner: 'scanner' } } };
    }
    if (call.route === 'GET /scans') {
      const listed = this.scans.map((scan) => ({
        id: scan.id,
        name: scan.name,
        owner: 'scanner',
        user_permissions: 128,
        folder_id: 136,
        status: this.statusOf(scan),
      }));
      return { json: { folders: [], scans: listed.length === 0 ? null : listed, timestamp: 1 } };
    }
    const scan = this.scans.find(({ id }) => String(id) === call.ids[0]);
    if (!scan) return { status: 404, json: { error: 'The requested file was not found' } };
    return this.#ofScan(call, scan);
  }

  #ofScan({ route }: PlainCall, scan: PlainScan): PlainReply {
    const status = this.statusOf(scan);
    const history = [{ history_id: scan.id + 100, uuid: `run-${scan.id}`, status }];
    switch (route) {
      case 'GET /scans/{id}':
        return {
          json: {
            info: { status, object_id: scan.id, name: scan.name },
            hosts: status === 'empty' ? null : [{ host_id: 2, hostname: '10.0.0.1' }],
            vulnerabilities: null,
            history: status === 'empty' ? null : history,
          },
        };
      case 'POST /scans/{id}/launch':
        if (status === 'running') return { status: 409, json: { error: 'already active' } };
        this.launch(String(scan.id));
        return { json: { scan_uuid: `run-${scan.id}` } };
      case 'POST /scans/{id}/stop':
        if (status !== 'running') return { status: 409, json: { error: 'wrong state' } };
        scan.stoppedAt = this.#passed;
        return {};
      case 'DELETE /scans/{id}':
        if (status === 'running') return { status: 409, json: { error: 'active' } };
        this.scans.splice(this.scans.indexOf(scan), 1);
        return {};
      default:
        return { status: 404, json: { error: 'The requested file was not found' } };
    }
  }
}

export interface PlainAttempt {
  readonly scanner?: Scanner;
  readonly request?: Partial<ScanRequest>;
  readonly credential?: Credential;
  readonly signal?: AbortSignal;
  readonly previous?: Checkpoint;
  readonly scanId?: string;
  readonly epoch?: number;
  readonly onCheckpoint?: (made: Checkpoint) => void;
}

const FIXED: Readonly<Record<string, PlainReply>> = {
  'GET /server/status': { json: { code: 200, status: 'ready' } },
  'GET /server/properties': { json: { license: { type: 'manager', features: { scan_api: true } } } },
  'GET /session': { json: { id: 2, username: 'scanner', permissions: 128 } },
  'GET /folders': { json: { folders: [{ id: 136, name: 'My Scans', type: 'main' }] } },
  'GET /editor/scan/templates': {
    json: {
      templates: [
        { uuid: 'ad629e16-03b6-8c1d-cef6-ef8c9dd3c658d24bd260ef5f9e66', name: 'advanced' },
        { uuid: '731a8e52-3ea6-a291-ec0a-d2ff0619c19d7bd788d6be818b65', name: 'basic' },
      ],
    },
  },
  'POST /scans/{id}/export': { json: { file: 7 } },
  'GET /scans/{id}/export/{id}/status': { json: { status: 'ready' } },
  'GET /scans/{id}/export/{id}/download': { type: 'application/octet-stream', text: REPORT },
};

export const absent = (): PlainReply => ({ status: 404, json: { error: 'The requested file was not found' } });
