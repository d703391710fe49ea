import { createHash } from 'node:crypto';
import type { Environment } from '../config/environment.ts';
import { isRecord, withoutNulls, type JsonPath } from '../config/json-value.ts';
import { parseLenient, type KeyIssue } from '../config/lenient-parse.ts';
import { INSTANCE_KEYS, InstanceKeys } from '../config/scanners-schema.ts';
import type { Scanner, ScannerType } from '../scanners/scanner.ts';
import { withoutScanner } from './absent-scanner.ts';
import { substitute } from './substitution.ts';

/** An instance that was checked. Its settings, which hold secrets, are only in `create`. */
export interface InstancePlan {
  readonly instanceId: string;
  readonly name: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly limit: number;
  /** Equal for equal engine and settings; the scanner is then kept over a reload. */
  readonly fingerprint: string;
  create(): Scanner;
}

export interface InstanceContext {
  readonly types: Readonly<Record<string, ScannerType>>;
  /** The engine when the instance names none. */
  readonly defaultType: string;
  /** Undefined: texts are taken as they are. */
  readonly env: Environment | undefined;
}

export interface CheckedInstance {
  /** Undefined when there are issues. */
  readonly plan: InstancePlan | undefined;
  /** As it is written, right or wrong. */
  readonly instanceId: unknown;
  readonly issues: readonly KeyIssue[];
}

/** Checks one instance whole: every issue is listed, no issue holds a value. */
export function planInstance(written: unknown, context: InstanceContext): CheckedInstance {
  const raw = withoutNulls(written);
  if (!isRecord(raw)) {
    return { plan: undefined, instanceId: undefined, issues: [{ path: [], message: 'must be a map of keys' }] };
  }
  const parts = substituted(raw, context.env);
  const common = parseLenient(InstanceKeys, parts.keys);
  const type = typeof parts.keys['type'] === 'string' ? parts.keys['type'] : context.defaultType;
  const engine = Object.hasOwn(context.types, type) ? context.types[type] : undefined;
  const checked = engine
    ? checkSettings(engine, parts)
    : { issues: [{ path: ['type'], message: unknownType(type, context.types) }], create: undefined };
  const commonIssues = common.ok ? [] : common.issues.filter(({ path }) => !parts.missing.has(String(path[0])));
  const found = [...parts.issues, ...commonIssues, ...checked.issues];
  const issues = withoutSecrets(found, raw, { ...parts.keys, ...parts.settings });
  if (issues.length > 0 || !common.ok || !checked.create) {
    return { plan: undefined, instanceId: parts.keys['instance_id'], issues };
  }
  const { instance_id: instanceId, name = instanceId, enabled, max_concurrent_scans: limit } = common.value;
  const { create } = checked;
  const plan = { instanceId, name, type, enabled, limit, fingerprint: fingerprint(type, parts), create };
  return { plan, instanceId, issues: [] };
}

/** An instance after its variables were replaced. */
interface Parts {
  /** The keys every instance has. */
  readonly keys: Readonly<Record<string, unknown>>;
  /** The keys of its engine. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly issues: readonly KeyIssue[];
  /** Top-level keys whose variable is not set. */
  readonly missing: ReadonlySet<string>;
}

function checkSettings(
  engine: ScannerType,
  { settings, missing }: Parts,
): { issues: readonly KeyIssue[]; create: (() => Scanner) | undefined } {
  const parsed = parseLenient(engine.settings, settings, INSTANCE_KEYS);
  if (Object.keys(settings).some((key) => missing.has(key))) {
    // Values cannot be judged with a variable missing, but misspelt keys can.
    const issues = parsed.ok ? [] : parsed.issues.filter(({ message }) => message.startsWith('unknown key'));
    return { issues, create: () => withoutScanner('a variable in its settings is not set') };
  }
  if (!parsed.ok) return { issues: parsed.issues, create: undefined };
  return { issues: [], create: () => engine.create(parsed.value) };
}

/** Text too: a variable may say it. */
const isFalse = (value: unknown): boolean =>
  value === false || (typeof value === 'string' && value.toLowerCase() === 'false');

function substituted(raw: Readonly<Record<string, unknown>>, env: Environment | undefined): Parts {
  const { value, problems } = env === undefined ? { value: raw, problems: [] } : substitute(raw, env);
  const all = isRecord(value) ? value : {};
  const isDisabled = isFalse(all['enabled']);
  const missing = new Set(problems.filter(({ unset }) => unset !== undefined).map(({ path }) => String(path[0])));
  const keys: Record<string, unknown> = {};
  const settings: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(all)) {
    if (!INSTANCE_KEYS.includes(key)) settings[key] = item;
    else if (!missing.has(key)) keys[key] = item;
  }
  const issues = problems
    .filter(({ unset }) => unset === undefined || !isDisabled)
    .map(({ path, message }) => ({ path, message }));
  return { keys, settings, issues, missing };
}

const unknownType = (type: string, types: Readonly<Record<string, ScannerType>>): string =>
  `there is no engine ${JSON.stringify(type.slice(0, 64))}; the engines are ${Object.keys(types).join(', ')}`;

function fingerprint(type: string, { settings, missing }: Parts): string {
  const sorted = Object.entries(settings).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([type, [...missing], sorted]))
    .digest('hex');
}

const SECRET_KEY = /pass|secret|key|token|credential|auth/i;
/** Shorter values would match parts of ordinary words. */
const MIN_MASKED = 4;

/** Schemas of engines choose their own words, which may quote what they refuse. */
function withoutSecrets(
  issues: readonly KeyIssue[],
  raw: Readonly<Record<string, unknown>>,
  values: Readonly<Record<string, unknown>>,
): KeyIssue[] {
  const secrets = Object.entries(values)
    .filter(([key, value]) => SECRET_KEY.test(key) || value !== raw[key])
    .flatMap(([, value]) => (typeof value === 'string' && value.length >= MIN_MASKED ? [value] : []))
    .toSorted((a, b) => b.length - a.length);
  const mask = (text: string): string =>
    secrets.reduce((masked, secret) => masked.replaceAll(secret, '[hidden]'), text);
  return issues.map(({ path, message }) => ({ path: maskedPath(path), message: mask(message) }));
}

/** A key longer than any real one is a value that lost its place. */
const maskedPath = (path: JsonPath): JsonPath =>
  path.map((step) => (typeof step === 'string' && step.length > 40 ? `${step.slice(0, 8)}...` : step));
