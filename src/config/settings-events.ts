import { z } from 'zod';

/** Section `events` of scanmux.yaml: streams of live events over HTTP. */
export const EventsSettings = z.strictObject({
  max_streams_per_tenant: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1_000)
    .describe('Event streams one tenant may have open at a server.'),
  max_streams: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(10_000)
    .describe('Event streams open at a server in all. Each costs about 25 KB, a connection and a file descriptor.'),
});
