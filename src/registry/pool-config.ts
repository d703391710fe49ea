/** A pool in the words of scanners.yaml: the keys of InstanceKeys, and beside them those of the engine. */
export interface PoolConfig {
  readonly name: string;
  readonly instances: readonly Readonly<Record<string, unknown>>[];
}

/**
 * The pools there are without scanners.yaml: the built-in engine, and nmap when its binary is found.
 * @param findNmap Absolute path of the binary, e.g. `() => findProgram('nmap')`.
 */
export function defaultPools({ findNmap }: { findNmap: () => string | undefined }): PoolConfig[] {
  const baseline: PoolConfig = {
    name: 'baseline',
    instances: [{ instance_id: 'local', name: 'Built-in baseline checks', max_concurrent_scans: 4 }],
  };
  const binary = findNmap();
  if (binary === undefined) return [baseline];
  const nmap: PoolConfig = {
    name: 'nmap',
    instances: [{ instance_id: 'local', name: 'Nmap on this machine', max_concurrent_scans: 2, binary }],
  };
  return [baseline, nmap];
}
