import type { Environment } from '../config/environment.ts';
import { pathText, type JsonPath } from '../config/json-value.ts';
import type { Problem } from '../config/problems.ts';
import { InstanceId, PoolName } from '../config/scanners-schema.ts';
import type { ScannerType } from '../scanners/scanner.ts';
import { planInstance, type CheckedInstance, type InstancePlan } from './instance-plan.ts';

/** A pool that was checked; all its instances are of one engine. */
export interface PoolPlan {
  readonly name: string;
  readonly type: Pick<ScannerType, 'capabilities' | 'check'>;
  readonly instances: readonly InstancePlan[];
}

export interface PoolContext {
  readonly types: Readonly<Record<string, ScannerType>>;
  readonly env: Environment | undefined;
  /** File and line of a place, for messages. */
  readonly fileAt: (path: JsonPath) => string;
}

export interface PlannedPools {
  readonly pools: readonly PoolPlan[];
  readonly problems: readonly Problem[];
}

/** Checks all pools; `pools` is only to be used when there are no problems. */
export function planPools(written: Iterable<readonly [string, unknown]>, context: PoolContext): PlannedPools {
  const planned = [...written].map(([name, instances]) => planPool(name, instances, context));
  return { pools: planned.flatMap(({ pools }) => pools), problems: planned.flatMap(({ problems }) => problems) };
}

function planPool(name: string, written: unknown, context: PoolContext): PlannedPools {
  const at = (path: JsonPath): string => context.fileAt([name, ...path]);
  const nameCheck = PoolName.safeParse(name);
  if (!nameCheck.success) {
    const shown = JSON.stringify(name.slice(0, 40));
    return failed([{ where: `${at([])}: pool ${shown}`, message: nameCheck.error.issues[0]?.message ?? 'wrong name' }]);
  }
  if (!Array.isArray(written)) {
    return failed([
      { where: `${at([])}: pool ${name}`, message: 'must be a list of instances ("- instance_id: ...")' },
    ]);
  }
  const defaultType = defaultTypeOf(name, context);
  const checked = written.map((item) => planInstance(item, { ...context, defaultType }));
  const plans = checked.flatMap(({ plan }) => (plan ? [plan] : []));
  const type = typeOf(plans[0]?.type ?? defaultType, context);
  const poolMessages = conflicts(checked);
  if (!type && written.length === 0) {
    poolMessages.push(`there is no engine ${defaultType}; the engines are ${Object.keys(context.types).join(', ')}`);
  }
  const problems = checked.flatMap(({ issues }, index) =>
    issues.map(({ path, message }) => ({
      where: `${at([index, ...path])}: pool ${name}, instance ${labelOf(written[index], index)}${keyText(path)}`,
      message,
    })),
  );
  problems.push(...poolMessages.map((message) => ({ where: `${at([])}: pool ${name}`, message })));
  if (!type || problems.length > 0) return failed(problems);
  return { pools: [{ name, type, instances: plans }], problems };
}

/** The pool's name up to its first `_`, unless all of it is an engine (`tenable_vm`). */
const defaultTypeOf = (name: string, context: PoolContext): string =>
  typeOf(name, context) ? name : (name.split('_', 1)[0] ?? name);

const typeOf = (type: string, { types }: PoolContext): ScannerType | undefined =>
  Object.hasOwn(types, type) ? types[type] : undefined;

const failed = (problems: readonly Problem[]): PlannedPools => ({ pools: [], problems });

const keyText = (path: JsonPath): string => (path.length > 0 ? `, key ${pathText(path)}` : '');

/** The id of an instance as it is written, when it is one; else its position in the list. */
function labelOf(written: unknown, index: number): string {
  const id =
    typeof written === 'object' && written !== null && 'instance_id' in written ? written.instance_id : undefined;
  return typeof id === 'string' && /^[\w.-]{1,63}$/.test(id) ? id : `number ${index + 1}`;
}

function conflicts(checked: readonly CheckedInstance[]): string[] {
  const ids = checked.flatMap(({ instanceId }) => (typeof instanceId === 'string' ? [instanceId] : []));
  const twice = new Set(ids.filter((id, index) => ids.indexOf(id) !== index && InstanceId.safeParse(id).success));
  const types = [...new Set(checked.flatMap(({ plan }) => (plan ? [plan.type] : [])))];
  return [
    ...[...twice].map((id) => `instance_id ${id} stands here twice`),
    ...(types.length > 1 ? [`all instances of a pool must be of one type, not of ${types.join(' and ')}`] : []),
  ];
}
