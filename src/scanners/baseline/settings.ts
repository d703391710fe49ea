import { z } from 'zod';

/** Keys of an instance of type `baseline` in scanners.yaml; all have defaults. */
export const BaselineSettings = z.strictObject({
  max_sockets: z.int().min(1).max(64).default(16).describe('Sockets one scan may have open at once.'),
  connect_timeout_ms: z
    .int()
    .min(50)
    .max(10_000)
    .default(1_500)
    .describe('A port that does not answer a connection in this time counts as filtered.'),
  answer_timeout_ms: z.int().min(50).max(30_000).default(4_000).describe('Time for one answer of a service.'),
});
export type BaselineSettings = z.infer<typeof BaselineSettings>;
