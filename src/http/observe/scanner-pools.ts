/** What the pages for operators show of scanners.yaml: the registry, seen from here. */
export interface ScannerPools {
  pools(): readonly {
    readonly name: string;
    readonly instances: readonly { readonly instanceId: string; readonly enabled: boolean; readonly limit: number }[];
  }[];
  /** `loadedAt` is in epoch milliseconds; `lastError` says why the newest file was refused. */
  status(): { readonly loadedAt: number; readonly lastError?: string };
  /** Called after every load and change. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}
