import { variable, type Environment } from './environment.ts';
import { configInvalid } from './problems.ts';

/** Where traces go, from the variables that every OpenTelemetry program has. */
export interface TelemetrySettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly ratio: number;
  readonly delayMs: number;
}

const DEFAULT_DELAY_MS = 5_000;

/**
 * Undefined when no endpoint is named: then nothing of tracing is loaded.
 * Source: OpenTelemetry Environment Variable Specification and OTLP Exporter Configuration, 1.x.
 * @throws AppError config_invalid when the endpoint is no http(s) URL or the protocol is one that is not spoken here
 */
export function telemetrySettings(env: Environment, version: string): TelemetrySettings | undefined {
  if (variable(env, 'OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return undefined;
  const url = tracesUrl(env);
  if (url === undefined) return undefined;
  requireProtocol(env);
  const added = pairs(variable(env, 'OTEL_RESOURCE_ATTRIBUTES'));
  const name = variable(env, 'OTEL_SERVICE_NAME') ?? added['service.name'] ?? 'scanmux';
  const headers = pairs(variable(env, 'OTEL_EXPORTER_OTLP_HEADERS'));
  return {
    url,
    headers: { ...headers, ...pairs(variable(env, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS')) },
    resource: { 'service.version': version, ...added, 'service.name': name },
    ratio: ratioOf(env),
    delayMs: numberIn(env, 'OTEL_BSP_SCHEDULE_DELAY', 0, 3_600_000) ?? DEFAULT_DELAY_MS,
  };
}

/** The general endpoint is a base, the one for traces is the whole URL. */
function tracesUrl(env: Environment): string | undefined {
  const own = variable(env, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  if (own !== undefined) return httpUrl('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own);
  const base = variable(env, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  if (base === undefined) return undefined;
  return `${httpUrl('OTEL_EXPORTER_OTLP_ENDPOINT', base).replace(/\/+$/, '')}/v1/traces`;
}

function httpUrl(name: string, text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw wrong(name, 'must be an http(s) URL, e.g. http://127.0.0.1:4318');
}

function requireProtocol(env: Environment): void {
  const names = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'];
  const name = names.find((one) => variable(env, one) !== undefined);
  if (name === undefined || variable(env, name)?.startsWith('http/')) return;
  throw wrong(name, 'must be http/json or http/protobuf: traces are sent over HTTP (as JSON), usually to port 4318');
}

/** A client's own decision on sampling cannot be kept in the queue: every process decides by the trace id. */
function ratioOf(env: Environment): number {
  const sampler = variable(env, 'OTEL_TRACES_SAMPLER') ?? 'always_on';
  if (sampler.endsWith('always_off')) return 0;
  if (!sampler.endsWith('traceidratio')) return 1;
  return numberIn(env, 'OTEL_TRACES_SAMPLER_ARG', 0, 1) ?? 1;
}

function numberIn(env: Environment, name: string, from: number, to: number): number | undefined {
  const text = variable(env, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (value >= from && value <= to) return value;
  throw wrong(name, `must be a number from ${from} to ${to}`);
}

/** `key=value,key=value`, percent-encoded. Source: W3C Baggage. */
function pairs(text: string | undefined): Record<string, string> {
  const parts = (text ?? '').split(',').flatMap((part) => {
    const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    return key === undefined || value === undefined ? [] : [[key, decoded(value)] as const];
  });
  return Object.fromEntries(parts);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const wrong = (name: string, message: string) => configInvalid([{ where: `environment variable ${name}`, message }]);
