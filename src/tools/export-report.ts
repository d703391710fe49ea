import { ExportAnswer, ExportInput } from '../model/contract/export.ts';
import { defineTool } from './tool.ts';

export const exportReport = defineTool({
  name: 'export_report',
  title: 'Export the findings of a scan to a file',
  description:
    'Writes the findings of a finished scan, or only those that match the filters, to a file for people and other tools, ' +
    'with what was not looked at. Answers with its path, not its content. openvex and cyclonedx_vex state CVEs only.',
  input: ExportInput,
  output: ExportAnswer,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  run: (input, { scans, ask }) => scans.exportReport(input, ask),
});
