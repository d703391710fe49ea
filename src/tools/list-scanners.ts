import { ListScannersInput, ScannerList } from '../model/contract/lists.ts';
import { defineTool, READ_ONLY } from './tool.ts';

export const listScanners = defineTool({
  name: 'list_scanners',
  title: 'List scanners',
  description:
    'The scanner pools: what each looks for, which targets and options it takes, and whether it can start scans now; and ' +
    'the logins that run_authenticated_scan takes.',
  input: ListScannersInput,
  output: ScannerList,
  annotations: READ_ONLY,
  run: (input, { scans, ask }) => scans.listScanners(input, ask),
});
