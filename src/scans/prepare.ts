import type { PlanInput } from '../model/contract/run.ts';
import type { EngineOption } from '../model/capability.ts';
import { AppError } from '../model/errors.ts';
import { ScanRequest } from '../model/scan.ts';
import { publicKind, type Target } from '../model/target.ts';
import { parseTarget } from '../policy/target.ts';
import type { Pool, Registry } from '../registry/registry.ts';
import { accessOf } from './credential.ts';

/** A run that is well formed and that the engine can do. The policy has not been asked yet. */
export interface PreparedRun {
  readonly pool: Pool;
  readonly request: ScanRequest;
  readonly targets: readonly Target[];
}

/**
 * Turns arguments into a canonical request: equal requests become equal, whatever order or spelling they came in.
 * @throws AppError pool_unknown, instance_unknown, target_invalid, target_unsupported, option_unsupported,
 *   no_scanner_available
 */
export function prepareRun(asked: PlanInput, registry: Registry): PreparedRun {
  const input = withoutEmpty(asked);
  const pool = input.scanner_pool === undefined ? defaultPool(registry) : registry.pool(input.scanner_pool);
  if (input.scanner_instance !== undefined) registry.instance(pool.name, input.scanner_instance);
  requireEnabled(pool, input.scanner_instance);
  const targets = canonical(input.targets);
  requireKinds(pool, targets);
  requireOptions(pool, input);
  const request = ScanRequest.parse({
    ...accessOf(input, pool, registry),
    targets: targets.map(({ text }) => text),
    pool: pool.name,
    intensity: input.intensity,
    priority: input.priority,
    max_duration_minutes: input.max_duration_minutes,
    ...(input.scanner_instance === undefined ? {} : { pinned_instance: input.scanner_instance }),
    ...(input.ports === undefined ? {} : { ports: input.ports }),
    ...(input.templates === undefined ? {} : { templates: [...new Set(input.templates)].toSorted() }),
    ...(input.severity_levels === undefined ? {} : { severity_levels: [...new Set(input.severity_levels)].toSorted() }),
    ...(input.project_id === undefined ? {} : { project_id: input.project_id }),
  });
  pool.check?.(request);
  return { pool, request, targets };
}

/** @throws AppError pool_unknown, which is the operator's to mend: the caller named none */
function defaultPool(registry: Registry): Pool {
  const names = registry.pools().map(({ name }) => name);
  if (names.length === 0 || names.includes(registry.defaultPool)) return registry.pool(registry.defaultPool);
  throw new AppError(
    'pool_unknown',
    `No pool is named, and the default pool "${registry.defaultPool}" does not exist. Pools: ${names.join(', ')}.`,
    { hint: 'Name one of them as scanner_pool; or operator: set default_pool in scanmux.yaml.' },
  );
}

/** An empty list asks for no check in particular, not for none: it is the option left out. */
function withoutEmpty({ templates = [], severity_levels: levels = [], ...rest }: PlanInput): PlanInput {
  return {
    ...rest,
    ...(templates.length > 0 && { templates }),
    ...(levels.length > 0 && { severity_levels: levels }),
  };
}

function canonical(texts: readonly string[]): Target[] {
  const byText = new Map(texts.map((text) => parseTarget(text)).map((target) => [target.text, target]));
  return [...byText.values()].toSorted((a, b) => (a.text < b.text ? -1 : 1));
}

function requireEnabled(pool: Pool, pinned: string | undefined): void {
  const candidates = pool.instances.filter(({ instanceId }) => pinned === undefined || instanceId === pinned);
  if (candidates.some(({ enabled }) => enabled)) return;
  const which = pinned === undefined ? `Pool ${pool.name} has no enabled instance.` : `Instance ${pinned} is disabled.`;
  throw new AppError('no_scanner_available', which);
}

function requireKinds({ name, capabilities }: Pool, targets: readonly Target[]): void {
  const unsupported = targets.filter((target) => !capabilities.targetKinds.includes(publicKind(target)));
  if (unsupported.length === 0) return;
  const texts = unsupported.map(({ text }) => text);
  throw new AppError(
    'target_unsupported',
    `Pool ${name} (${capabilities.engine}) takes ${capabilities.targetKinds.join(', ')}; not ${texts.slice(0, 3).join(', ')}.`,
    { targets: texts },
  );
}

function requireOptions({ name, capabilities }: Pool, input: PlanInput): void {
  const asked: readonly [EngineOption, unknown][] = [
    ['ports', input.ports],
    ['templates', input.templates],
    ['severity_levels', input.severity_levels],
  ];
  for (const [option, value] of asked) {
    if (value === undefined || capabilities.options.includes(option)) continue;
    const can = capabilities.options.length > 0 ? capabilities.options.join(', ') : 'none';
    throw new AppError(
      'option_unsupported',
      `Pool ${name} (${capabilities.engine}) cannot honour ${option}; options: ${can}.`,
    );
  }
  if (!capabilities.intensities.includes(input.intensity)) {
    const can = capabilities.intensities.join(', ');
    throw new AppError(
      'option_unsupported',
      `Pool ${name} cannot run at intensity ${input.intensity}; it can: ${can}.`,
    );
  }
  for (const range of input.ports?.split(',') ?? []) requirePorts(range);
}

function requirePorts(range: string): void {
  const [first = 0, last = first] = range.split('-').map(Number);
  if (first >= 1 && last <= 65_535 && first <= last) return;
  throw new AppError('invalid_request', `ports: ${range} is no range within 1-65535.`);
}
