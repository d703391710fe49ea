import { ListScansInput, ScanList } from '../model/contract/lists.ts';
import { getScanStatus } from './get-scan-status.ts';
import { defineTool, READ_ONLY } from './tool.ts';

export const listScans = defineTool({
  name: 'list_scans',
  title: 'List scans',
  description: 'Your scans, newest first, by state, target, pool, project or time. total counts all that match.',
  input: ListScansInput,
  output: ScanList,
  seeAlso: { tool: getScanStatus.name, output: getScanStatus.output },
  annotations: READ_ONLY,
  run: (input, { scans, ask }) => scans.listScans(input, ask),
});
