import { ImportAnswer, ImportInput } from '../model/contract/imports.ts';
import { Status } from '../model/contract/status.ts';
import { defineTool } from './tool.ts';

export const importReport = defineTool({
  name: 'import_report',
  title: 'Import a report made elsewhere',
  description:
    'Makes a finished scan of a report that another tool wrote, for all tools that take a scan_id. Give path, content or source. ' +
    'Every host in it must be in the scope. The same bytes again give the scan of the first time. Without word of what ' +
    'was looked at the verdict is at best partial.',
  input: ImportInput,
  output: ImportAnswer,
  seeAlso: { tool: 'get_scan_status', output: Status },
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: (input, { scans, ask }) => scans.importReport(input, ask),
});
