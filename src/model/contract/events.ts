import { z } from 'zod';
import { Progress, ScanState } from '../scan.ts';
import { ScanIdInput } from './status.ts';

export const EventsInput = ScanIdInput.extend({
  last_event_id: z
    .int()
    .min(0)
    .optional()
    .describe('As the header Last-Event-ID, which wins: go on after this event; 0 is from the first.'),
});
export type EventsInput = z.infer<typeof EventsInput>;

/** `data` of one event of a stream. */
export const StreamedEvent = z.strictObject({
  scan_id: z.string(),
  seq: z.int().describe('Counts from 1 without gaps; also the id of the event.'),
  at: z.string(),
  state: ScanState,
  final: z.boolean().describe('True: the scan has ended, and the stream ends after this event.'),
  progress: Progress.optional(),
});
export type StreamedEvent = z.infer<typeof StreamedEvent>;
