import { ExportFormat } from '../model/contract/export.ts';
import { ListScansInput } from '../model/contract/lists.ts';
import type { Ask } from '../scans/deps.ts';
import type { UseCases } from '../scans/use-cases.ts';

/** The protocol's own limit. */
const MOST = 100;

interface Context {
  readonly scans: UseCases;
  readonly ask: Ask;
}

export interface Completion {
  readonly values: string[];
  readonly total: number;
  readonly hasMore: boolean;
}

/** Values of an argument of a template or prompt that begin with what was typed; none for arguments of free text. */
export async function complete(argument: { name: string; value: string }, context: Context): Promise<Completion> {
  const fitting = (await valuesOf(argument.name, context)).filter((value) => value.startsWith(argument.value));
  return { values: fitting.slice(0, MOST), total: fitting.length, hasMore: fitting.length > MOST };
}

async function valuesOf(name: string, { scans, ask }: Context): Promise<readonly string[]> {
  if (name === 'scan_id' || name.endsWith('_scan_id')) {
    const page = await scans.listScans(ListScansInput.parse({ limit: MOST }), ask);
    return page.scans.map(({ scan_id: scanId }) => scanId);
  }
  if (name === 'format') return ExportFormat.options;
  if (name === 'scanner_pool') return (await scans.listScanners({}, ask)).pools.map(({ pool }) => pool);
  if (name === 'credential_ref') return (await scans.listScanners({}, ask)).credential_refs.map(({ ref }) => ref);
  return [];
}
