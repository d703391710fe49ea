import { setTimeout as delay } from 'node:timers/promises';
import type { ScannerList } from '../model/contract/lists.ts';
import { AppError, ERROR_CATALOG, errorFacts } from '../model/errors.ts';
import { cleanLine } from '../model/untrusted.ts';
import type { Instance, Pool, Registry } from '../registry/registry.ts';
import type { RemoteReports, RemoteScan } from '../scanners/scanner.ts';
import type { Ask } from './deps.ts';
import { isoTime } from './time.ts';

type RemoteEntry = NonNullable<ScannerList['remote_scans']>[number];

export interface RemoteScans {
  readonly entries: RemoteEntry[];
  /** Scans that have a report to import. */
  readonly importable: number;
}

/** Scans shown of one instance, newest first; the rest is counted. */
const SHOWN = 50;
/** A slow scanner must not keep the answer about all the others. */
const TIME_LIMIT_MS = 20_000;

/** An instance whose scans of others may be read. */
interface Opened {
  readonly instance: Instance;
  readonly remote: RemoteReports;
}

function openedIn(pools: readonly Pool[], { caller }: Pick<Ask, 'caller'>): Opened[] {
  return pools.flatMap(({ instances }) =>
    instances.flatMap((instance) => {
      const remote = instance.enabled ? instance.scanner.remote?.(caller.tenant) : undefined;
      return remote ? [{ instance, remote }] : [];
    }),
  );
}

/**
 * What operators launched by hand at the scanners themselves. An instance that does not answer says why in its own entry.
 * @throws AppError option_unsupported when no instance lets its scans be read
 */
export async function listRemoteScans(pools: readonly Pool[], ask: Ask): Promise<RemoteScans> {
  const opened = openedIn(pools, ask);
  if (opened.length === 0) {
    const [only] = pools.length === 1 ? pools : [];
    const none = only ? `Pool ${only.name} has no` : 'No configured engine has';
    throw new AppError('option_unsupported', `${none} remote scans to list (remote_scans).`, {
      hint: 'Leave remote_scans out.',
    });
  }
  const listed = await Promise.all(opened.map((one) => listOne(one, ask.signal)));
  return {
    entries: listed.map(({ entry }) => entry),
    importable: listed.reduce((sum, { importable }) => sum + importable, 0),
  };
}

async function listOne(
  { instance, remote }: Opened,
  signal: AbortSignal,
): Promise<{ readonly entry: RemoteEntry; readonly importable: number }> {
  const { pool, instanceId } = instance;
  const place = { pool, instance_id: instanceId };
  try {
    const { scans, trouble } = await within(signal, (limited) => remote.list(limited));
    const newest = scans.toSorted((a, b) => (b.modifiedAt ?? 0) - (a.modifiedAt ?? 0)).slice(0, SHOWN);
    return {
      entry: {
        ...place,
        scans: newest.map((scan) => shown(place, scan)),
        total: scans.length,
        ...(trouble === undefined ? {} : { error: saidOf(trouble) }),
      },
      importable: scans.filter(({ hasReport = true }) => hasReport).length,
    };
  } catch (error) {
    signal.throwIfAborted();
    return { entry: { ...place, scans: [], total: 0, error: saidOf(error) }, importable: 0 };
  }
}

/** With its hint only where that says more than the code does. */
function saidOf(error: unknown): string {
  const { code, message, hint } = errorFacts(error);
  return cleanLine(`${code}: ${message}${hint === ERROR_CATALOG[code].hint ? '' : ` ${hint}`}`, 800);
}

/** Names and folders are whatever somebody typed there. */
function shown(
  { pool, instance_id: instanceId }: { pool: string; instance_id: string },
  { remoteId, name, folder, status, modifiedAt }: RemoteScan,
): RemoteEntry['scans'][number] {
  const isTime = modifiedAt !== undefined && Number.isSafeInteger(modifiedAt) && Math.abs(modifiedAt) < 8.64e15;
  return {
    source: cleanLine(`${pool}:${instanceId}/${remoteId}`, 300),
    name: cleanLine(name, 200),
    folder: cleanLine(folder, 100),
    status: cleanLine(status, 40),
    ...(isTime ? { modified_at: isoTime(modifiedAt) } : {}),
  };
}

/** Also ends a wait for an engine that does not listen to its signal. */
async function within<T>(signal: AbortSignal, body: (limited: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController();
  const limited = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS), over.signal]);
  const late = delay(TIME_LIMIT_MS, undefined, { signal: over.signal, ref: false }).then(() => {
    throw new AppError('scanner_unreachable', `It did not answer within ${TIME_LIMIT_MS / 1_000} s.`);
  });
  try {
    return await Promise.race([body(limited), late]);
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}

/** A scan at a scanner, as `source` of import_report names it. */
export interface RemoteSource {
  readonly remote: RemoteReports;
  readonly remoteId: string;
  /** The source as the audit log has it: pool, instance, id. */
  readonly name: string;
}

/** `nessus:<instance>/<id>`: the pool, or the engine where that leaves no doubt. */
const SOURCE = /^([a-z0-9][a-z0-9_-]{0,62}):([a-z0-9][a-z0-9._-]{0,62})\/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})$/;

/**
 * Finds the instance of a source.
 * @throws AppError invalid_request, option_unsupported, instance_unknown (listing those whose scans can be read)
 */
export function findRemote(registry: Registry, source: string, ask: Pick<Ask, 'caller'>): RemoteSource {
  const opened = openedIn(registry.pools(), ask);
  if (opened.length === 0) {
    throw new AppError('option_unsupported', 'source: no configured engine has remote scans to import.', {
      hint: 'Export the scan there as a report, then give its path or content.',
    });
  }
  const [, first = '', instanceId = '', remoteId = ''] = SOURCE.exec(source) ?? [];
  if (remoteId === '') {
    throw new AppError('invalid_request', 'source: must look like nessus:<instance>/<id>.', {
      hint: 'list_scanners with remote_scans: true shows the sources there are.',
    });
  }
  const [found, ...others] = matching(registry, opened, first, instanceId);
  if (!found || others.length > 0) {
    const places = opened.map(({ instance }) => `${instance.pool}:${instance.instanceId}`);
    throw new AppError(
      'instance_unknown',
      `source: ${found ? 'several instances are' : 'no instance is'} ${first}:${instanceId}. Instances: ${places.slice(0, 20).join(', ')}.`,
      { hint: 'list_scanners with remote_scans: true shows the sources there are.' },
    );
  }
  const { pool } = found.instance;
  return { remote: found.remote, remoteId, name: `${pool}:${instanceId}/${remoteId}` };
}

function matching(registry: Registry, opened: readonly Opened[], first: string, instanceId: string): Opened[] {
  const named = opened.filter(({ instance }) => instance.instanceId === instanceId);
  const byPool = named.filter(({ instance }) => instance.pool === first);
  if (byPool.length > 0) return byPool;
  return named.filter(({ instance }) => registry.pool(instance.pool).capabilities.engine === first);
}
