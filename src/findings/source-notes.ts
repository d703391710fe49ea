import { z } from 'zod';
import type { ReportSource } from '../model/report.ts';
import { lineText } from '../model/untrusted.ts';

const Time = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const Source = z.strictObject({
  engine: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,63}$/)
    .optional(),
  tool: lineText(200).optional(),
  version: lineText(100).optional(),
  title: lineText(300).optional(),
  startedAt: Time.optional(),
  finishedAt: Time.optional(),
});

/** Who made a report, put together from all it says about that. What is said first stays. */
export interface SourceNotes {
  /** @throws ZodError when it does not fit */
  add(source: ReportSource): void;
  all(): ReportSource;
}

export function createSourceNotes(): SourceNotes {
  let notes: Record<string, unknown> = {};
  return {
    add(source) {
      const said = Object.entries(Source.parse(source)).filter(([, value]) => value !== undefined && value !== '');
      notes = { ...Object.fromEntries(said), ...notes };
    },
    all() {
      const { engine, tool, version, title, startedAt, finishedAt } = Source.parse(notes);
      return {
        ...(engine !== undefined && { engine }),
        ...(tool !== undefined && { tool }),
        ...(version !== undefined && { version }),
        ...(title !== undefined && { title }),
        ...(startedAt !== undefined && { startedAt }),
        ...(finishedAt !== undefined && { finishedAt }),
      };
    },
  };
}
