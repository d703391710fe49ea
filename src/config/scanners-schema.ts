import { z } from 'zod';

export const SCANNERS_FILE = 'scanners.yaml';

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;
export const PoolName = z.string().regex(NAME, 'must be 1 to 63 of a-z, 0-9, _ and -, and not begin with _ or -');

export const InstanceId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9, ., _ and -, and begin with a letter or digit');

/** The keys every instance in scanners.yaml has, whatever its engine. The engine's own keys stand beside them. */
export const InstanceKeys = z.strictObject({
  instance_id: InstanceId.describe('Names the instance within its pool; stays the same when anything else changes.'),
  name: z.string().min(1).max(100).optional().describe('For people. Without it, the instance id.'),
  type: z
    .string()
    .optional()
    .describe(
      'Engine. Without it, the name of the pool, or its part up to the first `_`. All instances of a pool have the same.',
    ),
  enabled: z.boolean().default(true).describe('A disabled instance gets no scans; its variables need not be set.'),
  max_concurrent_scans: z
    .int()
    .min(1)
    .max(64)
    .default(2)
    .describe('Scans this instance runs at once, over all workers.'),
});
export type InstanceKeys = z.infer<typeof InstanceKeys>;

export const INSTANCE_KEYS = Object.keys(InstanceKeys.shape);
