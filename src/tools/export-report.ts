import { ExportAnswer, ExportInput } from '../model/contract/export.ts';
import { getScanResults } from './get-scan-results.ts';
import { defineTool } from './tool.ts';

export const exportReport = defineTool({
  name: 'export_report',
  title: 'Export a scan to a file',
  description:
    'Writes the findings of a finished scan, with what was not looked at, to a file for people or other tools; answers ' +
    'with its path or, over HTTP, a download_url. openvex and cyclonedx_vex hold CVEs and advisories only.',
  input: ExportInput,
  output: ExportAnswer,
  seeAlso: { tool: getScanResults.name, output: getScanResults.output, input: getScanResults.input },
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  async run(input, { scans, ask, downloadUrl }) {
    const { path, ...answer } = await scans.exportReport(input, ask);
    return downloadUrl ? { ...answer, download_url: await downloadUrl(input, ask) } : { ...answer, path };
  },
});
