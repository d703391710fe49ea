import { Plan, PlanInput } from '../model/contract/run.ts';
import { runUntrustedScan } from './run-untrusted-scan.ts';
import { defineTool } from './tool.ts';

export const planScan = defineTool({
  name: 'plan_scan',
  title: 'Plan a scan',
  description:
    'Says what run_untrusted_scan, or with credential_ref run_authenticated_scan, would do with the same arguments: whether each target is in scope and why, which ' +
    'addresses it resolves to, which instances can run it, how long it may take. Resolves names; sends nothing to targets.',
  input: PlanInput,
  output: Plan,
  seeAlso: { tool: runUntrustedScan.name, output: runUntrustedScan.output, input: runUntrustedScan.input },
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  run: (input, { scans, ask }) => scans.plan(input, ask),
});
