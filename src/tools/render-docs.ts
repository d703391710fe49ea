import { TOOLS } from './catalogue.ts';
import type { ObjectSchema, PropertySchema } from './json-schema.ts';
import { listed, type ListedTool } from './listed.ts';

/** The list of tools as a client gets it, for counting what it costs an agent's context. */
export const toolListText = (): string => JSON.stringify({ tools: TOOLS.map(listed) });

/**
 * The text of docs/tools.md, from the schemas.
 * @param listTokens what `toolListText()` costs, by the estimator of the answers
 */
export function renderToolDocs(listTokens: number): string {
  return [
    '# Tools',
    `${TOOLS.length} tools. The whole list, with the schemas of arguments and answers, costs an agent about ${listTokens.toLocaleString('en')} tokens, by the same estimate from above that bounds answers (see [findings](findings.md)). [Dialogues](agents.md) show them at work; [error codes](errors.md) say what can go wrong.`,
    RULES,
    ...TOOLS.map((tool) => section(listed(tool))),
  ]
    .join('\n\n')
    .concat('\n');
}

const RULES = `Every answer is an object whose first key is \`summary\`: what was and was not looked at, the counts, the next step. The text content holds the same object as compact JSON. A failure has \`isError: true\`, no structured content, and a text of two lines: \`code: message hint\`, then the same as JSON.

Arguments are read leniently where clients are sloppy: one string, or a string that holds a JSON array, where a list is due; \`"8080"\` where a number is due, and \`[80, 443]\` where \`80,443\` is; values of a fixed set in any case, and several with commas where a list of them is due; null for what is left out. An argument that does not exist is refused with the nearest right name, and so is text with a NUL character or half of a surrogate pair.`;

function section({ name, title, description, annotations, inputSchema, outputSchema }: ListedTool): string {
  const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = annotations;
  const facts = [
    readOnlyHint ? 'read-only' : 'changes something',
    destructiveHint ? 'may be destructive' : 'not destructive',
    idempotentHint ? 'idempotent' : 'not idempotent',
    openWorldHint ? 'reaches other systems' : 'reaches no other system',
  ];
  return [
    `## ${name}`,
    `**${title}.** ${description}`,
    `Annotations: ${facts.join(', ')}.`,
    argumentTable(inputSchema),
    `Answer (\\* always there):`,
    answerTable(outputSchema),
  ].join('\n\n');
}

function argumentTable(schema: ObjectSchema): string {
  const rows = Object.entries(schema.properties).map(([name, part]) => [
    `\`${name}\``,
    typeText(part),
    isRequired(schema, name) ? 'required' : defaultText(part),
    bounds(part),
    meaning(part),
  ]);
  return rows.length === 0 ? 'No arguments.' : table(['argument', 'type', 'default', 'bounds', 'meaning'], rows);
}

function answerTable(schema: ObjectSchema): string {
  const rows = Object.entries(schema.properties).map(([name, part]) => [
    `\`${name}\`${isRequired(schema, name) ? ' \\*' : ''}`,
    [typeText(part), innerKeys(part)].filter(Boolean).join(' '),
    meaning(part),
  ]);
  return table(['key', 'type', 'meaning'], rows);
}

const isRequired = ({ required }: ObjectSchema, name: string): boolean =>
  Array.isArray(required) && required.includes(name);

const isSchema = (value: unknown): value is PropertySchema => typeof value === 'object' && value !== null;

function meaning({ description, examples }: PropertySchema): string {
  const told = typeof description === 'string' ? description : '';
  return Array.isArray(examples) ? `${told} Example: \`${examples.join('`, `')}\`.` : told;
}

const defaultText = (part: PropertySchema): string =>
  part['default'] === undefined ? '' : `\`${JSON.stringify(part['default']).replaceAll('"', '')}\``;

function typeText(part: PropertySchema): string {
  const values = part['enum'];
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(', ');
  const { items } = part;
  if (part.type === 'array') return isSchema(items) ? `list of ${typeText(items)}` : 'list';
  return typeof part.type === 'string' ? part.type : '';
}

/** The keys of an object, or of the objects in a list. */
function innerKeys(part: PropertySchema): string {
  const { items } = part;
  const properties = isSchema(items) ? items['properties'] : part['properties'];
  return isSchema(properties) ? `{ ${Object.keys(properties).join(', ')} }` : '';
}

const UNITS = [
  ['minimum', 'maximum', ''],
  ['minLength', 'maxLength', ' characters'],
  ['minItems', 'maxItems', ' entries'],
] as const;

function bounds(part: PropertySchema): string {
  const told = UNITS.flatMap(([least, most, unit]) => {
    const [from, to] = [part[least], part[most]];
    if (typeof to !== 'number') return typeof from === 'number' ? [`at least ${from}${unit}`] : [];
    return [typeof from === 'number' ? `${from} to ${to}${unit}` : `at most ${to}${unit}`];
  });
  return told.join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
