import { Waited, WaitInput } from '../model/contract/status.ts';
import { getScanStatus } from './get-scan-status.ts';
import { defineTool, READ_ONLY } from './tool.ts';

export const waitForScan = defineTool({
  name: 'wait_for_scan',
  title: 'Wait for a scan to end',
  description:
    'Returns when the scan ends or wait_seconds are over; the scan goes on either way. With wait_timed_out: true, look ' +
    'again after poll_after_seconds.',
  input: WaitInput,
  output: Waited,
  seeAlso: { tool: getScanStatus.name, output: getScanStatus.output, rest: true },
  annotations: READ_ONLY,
  run: (input, { scans, ask, onProgress }) => scans.wait(input, ask, onProgress),
});
