import { setTimeout as delay } from 'node:timers/promises';
import type { Server } from '@modelcontextprotocol/sdk/server/index.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  CreateMessageResultSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
  type CallToolResult,
  type ContentBlock,
  type PromptMessage,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';
import { listed } from '../../src/tools/listed.ts';
import { PROMPTS } from '../../src/tools/prompts.ts';
import { TOOLS } from '../../src/tools/catalogue.ts';

/*
 * What the official conformance runner expects of the server under test: tools, resources and prompts by these names.
 * They are added to the real MCP server, so that the real transport carries them.
 */

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;
type Fixture = (
  args: Readonly<Record<string, unknown>>,
  extra: Extra,
  token: string | number,
) => Promise<CallToolResult>;
type Form = Extract<ServerRequest, { method: 'elicitation/create' }>['params'];

/** 1x1 pixel, and a WAV file without a sample. */
const IMAGE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const SOUND = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';

const image = { type: 'image', data: IMAGE, mimeType: 'image/png' } as const;
const text = (words: string) => ({ type: 'text', text: words }) as const;
const embedded = (uri: string, mimeType: string, words: string) =>
  ({ type: 'resource', resource: { uri, mimeType, text: words } }) as const;
const answer = (...content: ContentBlock[]): Promise<CallToolResult> => Promise.resolve({ content });

async function elicit(extra: Extra, params: Form, words: string): Promise<CallToolResult> {
  const { action, content } = await extra.sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema);
  return answer(text(`${words}: action=${action}, content=${JSON.stringify(content ?? {})}`));
}

const DEFAULTS: Form = {
  message: 'Change what should differ',
  requestedSchema: {
    type: 'object',
    properties: {
      name: { type: 'string', default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true },
    },
  },
};

const OPTIONS = ['option1', 'option2', 'option3'];
const TITLED = ['First', 'Second', 'Third'].map((title, index) => ({ const: `value${index + 1}`, title }));
const ENUMS: Form = {
  message: 'Choose',
  requestedSchema: {
    type: 'object',
    properties: {
      untitledSingle: { type: 'string', enum: OPTIONS },
      titledSingle: { type: 'string', oneOf: TITLED },
      legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
      untitledMulti: { type: 'array', items: { type: 'string', enum: OPTIONS } },
      titledMulti: { type: 'array', items: { anyOf: TITLED } },
    },
  },
};

const FIXTURES: Readonly<Record<string, Fixture>> = {
  test_simple_text: () => answer(text('This is a simple text response for testing.')),
  test_image_content: () => answer(image),
  test_audio_content: () => answer({ type: 'audio', data: SOUND, mimeType: 'audio/wav' }),
  test_embedded_resource: () => answer(embedded('test://embedded-resource', 'text/plain', 'Embedded.')),
  test_multiple_content_types: () =>
    answer(text('Several:'), image, embedded('test://mixed-content-resource', 'application/json', '{"test":"data"}')),
  test_error_handling: () =>
    Promise.resolve({ isError: true, content: [text('This tool intentionally returns an error for testing')] }),
  async test_tool_with_logging(_args, { sendNotification }) {
    for (const data of ['started', 'processing', 'completed']) {
      await sendNotification({ method: 'notifications/message', params: { level: 'info', data } });
      await delay(50);
    }
    return answer(text('Done.'));
  },
  async test_tool_with_progress(_args, { sendNotification }, progressToken) {
    for (const progress of [0, 50, 100]) {
      await sendNotification({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      await delay(50);
    }
    return answer(text('Done.'));
  },
  async test_sampling({ prompt }, { sendRequest }) {
    const messages = [{ role: 'user', content: text(String(prompt)) } as const];
    const request = { method: 'sampling/createMessage', params: { messages, maxTokens: 100 } } as const;
    const { content } = await sendRequest(request, CreateMessageResultSchema);
    return answer(text(`LLM response: ${content.type === 'text' ? content.text : content.type}`));
  },
  test_elicitation: ({ message }, extra) => {
    const properties = { username: { type: 'string' }, email: { type: 'string' } } as const;
    const form = { message: String(message), requestedSchema: { type: 'object', properties } } as const;
    return elicit(extra, form, 'User response');
  },
  test_elicitation_sep1034_defaults: (_args, extra) => elicit(extra, DEFAULTS, 'Elicitation completed'),
  test_elicitation_sep1330_enums: (_args, extra) => elicit(extra, ENUMS, 'Elicitation completed'),
  async test_reconnection(_args, { closeSSEStream }) {
    closeSSEStream?.();
    await delay(100);
    return answer(text('Reconnected.'));
  },
  json_schema_2020_12_tool: () => answer(text('Checked.')),
};

const SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: { address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
  additionalProperties: false,
} as const;

const listedFixtures = Object.keys(FIXTURES).map((name) => ({
  name,
  description: `Fixture of the conformance runner: ${name}`,
  inputSchema: name === 'json_schema_2020_12_tool' ? SCHEMA_2020_12 : ({ type: 'object' } as const),
}));

const RESOURCES = [
  { uri: 'test://static-text', name: 'Text', mimeType: 'text/plain' },
  { uri: 'test://static-binary', name: 'Picture', mimeType: 'image/png' },
  { uri: 'test://watched-resource', name: 'Watched', mimeType: 'text/plain' },
];

const user = (content: ContentBlock): PromptMessage => ({ role: 'user', content });

const FIXTURE_PROMPTS: Readonly<Record<string, (args: Readonly<Record<string, string>>) => PromptMessage[]>> = {
  test_simple_prompt: () => [user(text('This is a simple prompt for testing.'))],
  test_prompt_with_arguments: ({ arg1, arg2 }) => [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
  test_prompt_with_embedded_resource: ({ resourceUri = '' }) => [
    user(embedded(resourceUri, 'text/plain', 'Embedded for testing.')),
    user(text('Please process the embedded resource above.')),
  ],
  test_prompt_with_image: () => [user(image), user(text('Please analyze the image above.'))],
};

const PROMPT_ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  test_prompt_with_arguments: ['arg1', 'arg2'],
  test_prompt_with_embedded_resource: ['resourceUri'],
};

/** Adds the fixtures to a real MCP server before it is connected. */
export function addFixtures(server: Server): Server {
  server.registerCapabilities({ logging: {}, completions: {}, resources: { subscribe: true } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [...TOOLS.map((tool) => ({ ...listed(tool) })), ...listedFixtures],
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const fixture = FIXTURES[params.name];
    if (!fixture) throw new Error(`no fixture: ${params.name}`);
    return fixture(params.arguments ?? {}, extra, params._meta?.progressToken ?? 0);
  });
  server.setRequestHandler(SetLevelRequestSchema, () => ({}));
  addResources(server);
  addPrompts(server);
  return server;
}

function addResources(server: Server): void {
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: RESOURCES }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'Template', mimeType: 'application/json' }],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => {
    const id = /^test:\/\/template\/(.+)\/data$/.exec(uri)?.[1];
    if (id !== undefined) {
      return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true }) }] };
    }
    if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: IMAGE }] };
    return { contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }] };
  });
  server.setRequestHandler(SubscribeRequestSchema, () => ({}));
  server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
  server.setRequestHandler(CompleteRequestSchema, () => ({ completion: { values: [], total: 0, hasMore: false } }));
}

function addPrompts(server: Server): void {
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: [
      ...PROMPTS.map(({ name, title, description }) => ({ name, title, description })),
      ...Object.keys(FIXTURE_PROMPTS).map((name) => ({
        name,
        description: `Fixture of the conformance runner: ${name}`,
        arguments: (PROMPT_ARGUMENTS[name] ?? []).map((argument) => ({ name: argument, required: true })),
      })),
    ],
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
    messages: FIXTURE_PROMPTS[params.name]?.(params.arguments ?? {}) ?? [],
  }));
}
