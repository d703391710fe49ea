import { RunUntrustedInput, SubmittedScan } from '../model/contract/run.ts';
import { getScanStatus } from './get-scan-status.ts';
import { defineTool } from './tool.ts';

export const runUntrustedScan = defineTool({
  name: 'run_untrusted_scan',
  title: 'Run a vulnerability scan without credentials',
  description:
    'Queues a vulnerability scan of systems the operator has authorised and answers at once with a scan_id. Scans take ' +
    'minutes to hours: then call wait_for_scan, and get_scan_results when it ends. Targets outside the scope are ' +
    'refused; only an operator can widen it. plan_scan tells beforehand what a run would do.',
  input: RunUntrustedInput,
  output: SubmittedScan,
  seeAlso: { tool: getScanStatus.name, output: getScanStatus.output, rest: true },
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  startsScan: true,
  run: (input, { scans, ask }) => scans.submit(input, ask),
});
