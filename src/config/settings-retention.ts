import { z } from 'zod';

const days = z.int().min(0).max(36_500);

/**
 * Nothing goes by default: results of scans are evidence, and a tool that removes them without being told to loses
 * somebody's.
 */
export const Retention = z
  .strictObject({
    finished_days: days
      .default(0)
      .describe('Completed and cancelled scans are removed with their files this many days after their end. 0: never.'),
    finished_per_tenant: z
      .int()
      .min(0)
      .max(100_000_000)
      .default(0)
      .describe('Only the newest this many completed and cancelled scans of a tenant are kept. 0: all.'),
    dead_letter_days: days
      .default(0)
      .describe('The same for scans that failed or ran out of time; not less than `finished_days`. 0: never.'),
    exports_days: z
      .int()
      .min(1)
      .max(3_650)
      .default(7)
      .describe('Exports are removed this many days after they were asked for.'),
  })
  .refine(({ finished_days: finished, dead_letter_days: dead }) => dead === 0 || dead >= finished, {
    path: ['dead_letter_days'],
    message: 'must not be less than retention.finished_days: dead letters are kept at least as long (0: for ever)',
  });
export type Retention = z.infer<typeof Retention>;
