import { z } from 'zod';

/** The reason of the abort signal, as far as an engine needs it (worker/stop.ts). */
const StopReason = z.object({ stop: z.string() });

/** Somebody else goes on with the scan where this attempt leaves it: it must go on running at the scanner. */
const HANDED_ON = new Set(['lease_lost', 'shutdown']);

export const isHandedOn = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && HANDED_ON.has(StopReason.safeParse(reason).data?.stop ?? '');
