// The floor of a tool call and of a cold start: the bare SDK, its low-level server, tools that answer at once. With a
// folder as its argument it can also commit one row per call, the floor of a durable tool call.
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

const folder = process.argv[2];
const sqlite = folder === undefined ? undefined : (await import('./raw-sqlite.ts')).createRawSqlite(folder);
const server = new Server({ name: 'floor-echo', version: '1.0.0' }, { capabilities: { tools: {} } });

server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: [{ name: 'echo', description: 'Answers with its argument.', inputSchema: { type: 'object' } }],
}));

server.setRequestHandler(CallToolRequestSchema, async ({ params }) => {
  if (params.name === 'commit') await sqlite?.once();
  return { content: [{ type: 'text', text: JSON.stringify(params.arguments ?? {}) }] };
});

process.stdin.on('end', () => process.exit(0));
await server.connect(new StdioServerTransport());
