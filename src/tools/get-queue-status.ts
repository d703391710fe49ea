import { QueueReport, QueueStatusInput } from '../model/contract/lists.ts';
import { defineTool, READ_ONLY } from './tool.ts';

export const getQueueStatus = defineTool({
  name: 'get_queue_status',
  title: 'Get the state of the queue',
  description: 'Per pool how many scans wait, run or failed for good, the expected wait, and which of yours come next.',
  input: QueueStatusInput,
  output: QueueReport,
  annotations: READ_ONLY,
  run: (input, { scans, ask }) => scans.queueStatus(input, ask),
});
