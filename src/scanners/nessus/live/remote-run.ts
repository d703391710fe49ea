import { z } from 'zod';
import { SCAN_ID } from '../../../model/ids.ts';
import type { ScanJob } from '../../scanner.ts';
import { Id } from '../api/answers.ts';

/** One scan at the scanner that is ours, and the run of it that belongs to an attempt. */
export const RemoteRun = z.object({
  id: Id,
  /** Its name there: who started it. */
  marker: z.string(),
  history_id: Id.optional(),
  scan_uuid: z.string().optional(),
});
export type RemoteRun = z.infer<typeof RemoteRun>;

/** As it stands in a checkpoint. */
export const referenceOf = (run: RemoteRun): string => JSON.stringify(run);

export function runOf(reference: string): RemoteRun | undefined {
  try {
    return RemoteRun.safeParse(JSON.parse(reference)).data;
  } catch {
    return undefined;
  }
}

/** Name of the remote scan of one attempt; see docs/decisions/0006-markers-belong-to-attempts.md. */
export const markerOf = ({ scanId, epoch }: Pick<ScanJob, 'scanId' | 'epoch'>): string => `scanmux ${scanId}.${epoch}`;

/** Whether a name is a marker of scanmux, of whichever scan. */
export function isMarker(name: string): boolean {
  const [, scanId = '', epoch = ''] = /^scanmux (\w+)\.(\d{1,9})$/.exec(name) ?? [];
  return SCAN_ID.test(scanId) && epoch !== '';
}

/** Whether it is one of this scan, of whichever attempt. */
export const isMarkerOf = (scanId: string, name: string): boolean =>
  isMarker(name) && name.startsWith(`scanmux ${scanId}.`);

export const descriptionOf = (marker: string, traceId: string): string =>
  `Started by scanmux; do not rename. Marker: ${marker}. Trace: ${traceId}.`;

/** The description of a scan of ours holds its marker, whole. */
export const describes = (description: string, marker: string): boolean => description.includes(`Marker: ${marker}. `);
