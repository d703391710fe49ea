import { Agent, FormData, request, type Dispatcher } from 'undici';
import { z } from 'zod';
import type { NessusSimulator } from '../../../src/simulators/nessus/simulator.ts';
import { startNessusSimulator, type NessusSimulatorOptions } from '../../../src/simulators/nessus/simulator.ts';

/** What a test gets back: the JSON as it came, `undefined` when it is none. */
export interface Got {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly text: string;
  readonly value: unknown;
}

/** Plain requests to a simulator, with the right API keys unless `headers` say otherwise. */
export class Client {
  readonly sim: NessusSimulator;
  readonly #agent: Agent;

  constructor(sim: NessusSimulator) {
    this.sim = sim;
    this.#agent = new Agent({ connect: sim.certificate ? { ca: sim.certificate.certificate } : {} });
  }

  get keys(): Record<string, string> {
    const { accessKey, secretKey } = this.sim.auth;
    return { 'X-ApiKeys': `accessKey=${accessKey}; secretKey=${secretKey}` };
  }

  /** The answer before its body was read. */
  async open(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: unknown,
    headers = this.keys,
    signal?: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    return request(`${this.sim.url}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { 'content-type': 'application/json', ...headers },
      ...(signal ? { signal } : {}),
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body) }),
    });
  }

  async ask(
    method: Dispatcher.HttpMethod,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Got> {
    const answer = await this.open(method, path, body, headers);
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text, value: parsed(text) };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
    await this.sim.close();
  }

  /** @returns its id */
  async create(settings: Record<string, unknown> = {}, more: Record<string, unknown> = {}): Promise<number> {
    const got = await this.ask('POST', '/scans', {
      uuid: ADVANCED,
      settings: { name: 'a scan', text_targets: '10.0.0.1', ...settings },
      ...more,
    });
    return z.object({ scan: z.object({ id: z.number() }) }).parse(got.value).scan.id;
  }

  /** @returns the uuid of the run */
  async launch(id: number): Promise<string> {
    const got = await this.ask('POST', `/scans/${id}/launch`, {});
    return z.object({ scan_uuid: z.string() }).parse(got.value).scan_uuid;
  }

  async status(id: number): Promise<string> {
    return Details.parse((await this.ask('GET', `/scans/${id}`)).value).info.status;
  }

  async hosts(id: number): Promise<{ hostname: string; scanprogresscurrent: number }[]> {
    return Details.parse((await this.ask('GET', `/scans/${id}`)).value).hosts;
  }

  /** Asks for an export and polls until it is there. @returns the path of the download */
  async export(id: number, query = ''): Promise<string> {
    const { file } = z
      .object({ file: z.union([z.number(), z.string()]) })
      .parse((await this.ask('POST', `/scans/${id}/export${query}`, { format: 'nessus' })).value);
    for (;;) {
      const { value } = await this.ask('GET', `/scans/${id}/export/${file}/status`);
      const { status } = z.object({ status: z.string() }).parse(value);
      if (status !== 'loading') return `/scans/${id}/export/${file}/download`;
    }
  }
}

const Details = z.object({
  info: z.object({ status: z.string() }),
  hosts: z.array(z.object({ hostname: z.string(), scanprogresscurrent: z.number() })),
});

export const ADVANCED = 'ad629e16-03b6-8c1d-cef6-ef8c9dd3c658d24bd260ef5f9e66';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Over plain HTTP and with a clock that stands still, unless `options` say otherwise. */
export async function connect(
  scenario: NonNullable<NessusSimulatorOptions['scenario']> = {},
  options: NessusSimulatorOptions = {},
): Promise<Client> {
  return new Client(await startNessusSimulator({ http: true, manualClock: true, scenario, ...options }));
}
