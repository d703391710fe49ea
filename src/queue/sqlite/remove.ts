import { unindex } from './scan-index.ts';
import { change, type Store } from './store.ts';

/**
 * Removes scans with their events, in the caller's transaction. Their idempotency keys outlive them: a late repeat of the
 * call must not scan again.
 * @param ids Of scans of this tenant.
 */
export function removeScans(store: Store, tenant: string, ids: readonly number[]): void {
  if (ids.length === 0) return;
  unindex(store, tenant, ids);
  const listed = JSON.stringify(ids);
  change(store, 'DELETE FROM events WHERE scan IN (SELECT value FROM json_each(?))', listed);
  change(store, 'DELETE FROM scans WHERE id IN (SELECT value FROM json_each(?))', listed);
}
