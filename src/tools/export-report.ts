import { ExportAnswer, ExportInput } from '../model/contract/export.ts';
import { defineTool } from './tool.ts';

export const exportReport = defineTool({
  name: 'export_report',
  title: 'Export a scan to a file',
  description:
    'Writes the findings of a finished scan, with what was not looked at, to a file for people or other tools; answers ' +
    'with its path. openvex and cyclonedx_vex hold CVEs only.',
  input: ExportInput,
  output: ExportAnswer,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: (input, { scans, ask }) => scans.exportReport(input, ask),
});
