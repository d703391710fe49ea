import { ScanIdInput, Status } from '../model/contract/status.ts';
import { defineTool, READ_ONLY } from './tool.ts';

export const getScanStatus = defineTool({
  name: 'get_scan_status',
  title: 'Get the status of a scan',
  description:
    'State and progress of one scan; once it has ended also verdict, coverage and counts of findings. To wait for the ' +
    'end use wait_for_scan instead of polling.',
  input: ScanIdInput,
  output: Status,
  annotations: READ_ONLY,
  run: (input, { scans, ask }) => scans.status(input, ask),
});
