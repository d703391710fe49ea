import { RunAuthenticatedInput, SubmittedLogin } from '../model/contract/run.ts';
import { runUntrustedScan } from './run-untrusted-scan.ts';
import { defineTool } from './tool.ts';

export const runAuthenticatedScan = defineTool({
  name: 'run_authenticated_scan',
  title: 'Run a vulnerability scan that logs in',
  description:
    'As run_untrusted_scan, with the same answer, but the scanner logs in to the targets with the login you name, and ' +
    'sees what is installed. You never see its secret. get_scan_status counts logins that worked under authentication.',
  input: RunAuthenticatedInput,
  output: SubmittedLogin,
  seeAlso: { tool: runUntrustedScan.name, output: runUntrustedScan.output, input: runUntrustedScan.input },
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  run: async (input, { scans, ask }) => ({
    ...(await scans.submit(input, ask)),
    credential_ref: input.credential_ref,
  }),
});
