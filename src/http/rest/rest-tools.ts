import { z } from 'zod';
import type { Scope } from '../../model/caller.ts';
import { EventsInput } from '../../model/contract/events.ts';
import { PlanInput, SubmittedScan } from '../../model/contract/run.ts';
import { ScanIdInput, Status } from '../../model/contract/status.ts';
import { AppError } from '../../model/errors.ts';
import { defineTool, READ_ONLY, type AnyTool } from '../../tools/tool.ts';

const CHANGES = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true } as const;

/** Both runs in one route. */
export const startScan = defineTool({
  name: 'start_scan',
  title: 'Start a scan',
  description:
    'Queues a scan of systems the operator has authorised and answers at once. With credential_ref the scanner logs in ' +
    'to the targets. Then follow its events, or poll it.',
  input: PlanInput,
  output: SubmittedScan.extend({ credential_ref: z.string().optional() }),
  annotations: CHANGES,
  run: async (input, { scans, ask }) => ({
    ...(await scans.submit(input, ask)),
    ...(input.credential_ref !== undefined && { credential_ref: input.credential_ref }),
  }),
});

export const retryDeadLetter = defineTool({
  name: 'retry_dead_letter',
  title: 'Retry a scan that failed for good',
  description: 'Puts a failed or timed-out scan whose attempts are spent back into the queue, with new attempts.',
  input: ScanIdInput,
  output: Status,
  annotations: CHANGES,
  async run({ scan_id: scanId }, { scans, ask }) {
    await scans.deadLetters.retry(scanId, ask);
    // It has been done: who may run and not read hears how the scan stands all the same.
    const scopes = new Set<Scope>([...ask.caller.scopes, 'scan:read']);
    return scans.status({ scan_id: scanId }, { ...ask, caller: { ...ask.caller, scopes } });
  },
});

/** Answers what it was asked: the events themselves are streamed. */
export const followScan = defineTool({
  name: 'follow_scan',
  title: 'Follow a scan',
  description:
    'Server-sent events: the newest state first, then every event as it happens. Ends after the final event, and after ' +
    'at most an hour; a reader that comes back with Last-Event-ID goes on exactly where it was, and gets 204 when the ' +
    'scan has ended. Polling GET /api/scans/{scan_id} tells the same.',
  input: EventsInput,
  output: EventsInput,
  annotations: READ_ONLY,
  run: (input) => Promise.resolve(input),
});

/** No engine can halt a scan and go on with it: said of every scan that exists, as of any option an engine lacks. */
const unsupported = (verb: 'pause' | 'resume'): AnyTool =>
  defineTool({
    name: `${verb}_scan`,
    title: `${verb === 'pause' ? 'Pause' : 'Resume'} a scan`,
    description: 'Not supported by any engine yet: always refused with option_unsupported.',
    input: ScanIdInput,
    output: Status,
    annotations: CHANGES,
    async run(input, { scans, ask }) {
      await scans.status(input, ask);
      throw new AppError('option_unsupported', `No engine can ${verb} a scan.`, {
        hint: 'Cancel the scan, and start it again later.',
      });
    },
  });

export const pauseScan = unsupported('pause');
export const resumeScan = unsupported('resume');
