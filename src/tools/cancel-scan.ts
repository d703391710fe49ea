import { Cancelled, CancelInput } from '../model/contract/status.ts';
import { defineTool } from './tool.ts';

export const cancelScan = defineTool({
  name: 'cancel_scan',
  title: 'Cancel a scan',
  description: 'Ends a waiting or running scan. What a running one has found so far is kept.',
  input: CancelInput,
  output: Cancelled,
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  run: (input, { scans, ask }) => scans.cancel(input, ask),
});
