import { submitSpanId, type Tracing } from '../platform/tracing.ts';
import type { ScanQueue } from './queue.ts';

/** The same queue, which notes every acceptance as a span, the parent of all that workers do for the scan. */
export function tracedSubmit(queue: ScanQueue, tracing: Tracing): ScanQueue {
  if (!tracing.isOn) return queue;
  return {
    ...queue,
    submit(scan) {
      const { scanId, traceId, request, engine } = scan;
      const attributes = { 'scanmux.scan_id': scanId, 'scanmux.pool': request.pool, 'scanmux.engine': engine };
      const start = {
        name: 'scan submit',
        kind: 'producer',
        traceId,
        spanId: submitSpanId(scanId),
        attributes,
      } as const;
      return tracing.within(start, async (span) => {
        const submitted = await queue.submit(scan);
        if (submitted.deduplicated !== false) span.set({ 'scanmux.deduplicated_to': submitted.scan.scanId });
        return submitted;
      });
    },
  };
}
