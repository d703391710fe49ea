import type { z } from 'zod';
import { isRecord, valueAt } from './json-value.ts';
import { inputSchema } from './lenient-parse.ts';
import { CommonCredentialKeys, CREDENTIAL_KEYS } from './credentials-schema.ts';
import { InstanceKeys } from './scanners-schema.ts';
import { Settings } from './settings.ts';
import { settingVariables } from './settings-environment.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The text of docs/config.md, from the schemas.
 * @param engines Schemas of the keys each engine adds to an instance in scanners.yaml.
 */
export function renderConfigDocs(engines: Readonly<Record<string, z.ZodType>> = {}): string {
  return [
    '# Configuration',
    'Everything has a default: scanmux runs without any file. `scanmux init` writes commented examples into the config folder and overwrites nothing; `scanmux doctor` checks them.',
    '## Folders',
    FOLDERS,
    '## scanmux.yaml',
    'Environment variables win over the file. A variable that is set to nothing counts as not set. Wrong keys are all listed at once.',
    settingsTable(),
    '## scanners.yaml',
    SCANNERS,
    instanceTable(InstanceKeys),
    ...Object.entries(engines).flatMap(([engine, schema]) => [`### Keys of \`${engine}\``, instanceTable(schema)]),
    '### Reload',
    RELOAD,
    '## credentials.yaml',
    CREDENTIALS,
    instanceTable(CommonCredentialKeys),
    ...Object.entries(CREDENTIAL_KEYS).flatMap(([kind, schema]) => [
      `### Keys of \`${kind}\` besides`,
      instanceTable(schema, Object.keys(CommonCredentialKeys.shape)),
    ]),
  ]
    .join('\n\n')
    .concat('\n');
}

const FOLDERS = `The working directory is never read: clients start servers inside whatever repository is open.

| | config folder | data folder |
|---|---|---|
| flag (may be relative) | \`--config <folder>\` | \`--data <folder>\` |
| variable (absolute) | \`SCANMUX_CONFIG_DIR\` | \`SCANMUX_DATA_DIR\` |
| else on Linux | \`$XDG_CONFIG_HOME/scanmux\`, \`~/.config/scanmux\` | \`$XDG_DATA_HOME/scanmux\`, \`~/.local/share/scanmux\` |
| else on macOS | \`~/Library/Application Support/scanmux\` | \`~/Library/Application Support/scanmux/data\` |
| else on Windows | \`%APPDATA%\\scanmux\` | \`%LOCALAPPDATA%\\scanmux\` |

The data folder is made with mode 0700. One that every user may write to is refused.`;

const SCANNERS = `The top level maps the name of a pool to the list of its instances. Without the file, or with nothing but comments in it, there is a pool \`baseline\`, and a pool \`nmap\` when that program is found.

\`\${VAR}\` and \`\${VAR:-default}\` are replaced anywhere in a value, after the YAML was read, so a variable cannot add keys. The default is taken when the variable is not set or empty. A variable without default that is not set is an error, except in a disabled instance. \`$\${\` stands for a literal \`\${\`.`;

const RELOAD = `The file is read again when it changes, on \`SIGHUP\` (not on Windows) and by \`scanmux reload\`. It is checked whole, then takes effect at once; a broken file changes nothing and is named in \`list_scanners\` and the log. Running scans keep the scanner they started with. When the file is broken at the start, there are no pools until it is fixed.`;

const CREDENTIALS = `The top level maps the name of a login (the \`credential_ref\` of \`run_authenticated_scan\`) to its keys. Without the file there are none. [Credentials](credentials.md) explains them.

A secret never stands in the file. Where one is due, write \`{ env: NAME }\`, \`{ file: /path }\` or \`{ command: [program, argument], timeout_seconds: 10, pass_env: [NAME] }\`; a text in its place is refused with its line. The file is read again at the next use when it has changed; a broken one allows nothing and is named in \`list_scanners\` and by \`scanmux doctor\`.`;

function settingsTable(): string {
  const rows = settingVariables(Settings).map(({ path, name, schema }) => [
    `\`${path.join('.')}\``,
    `\`${name}\``,
    defaultText(schema),
    bounds(schema),
    textOf(schema, 'description'),
  ]);
  return table(['key', 'variable', 'default', 'values', 'meaning'], rows);
}

function instanceTable(schema: z.ZodType, except: readonly string[] = []): string {
  const json = inputSchema(schema);
  const required = valueAt(json, ['required']);
  const properties = valueAt(json, ['properties']);
  if (!isRecord(properties) || Object.keys(properties).length === 0) return 'None.';
  const shown = Object.entries(properties).filter(([key]) => !except.includes(key));
  const rows = shown.map(([key, part]) => {
    const node = isRecord(part) ? part : {};
    const isRequired = Array.isArray(required) && required.includes(key);
    return [`\`${key}\``, isRequired ? 'required' : defaultText(node), bounds(node), textOf(node, 'description')];
  });
  return table(['key', 'default', 'values', 'meaning'], rows);
}

const textOf = (schema: JsonSchema, key: string): string => {
  const text = schema[key];
  return typeof text === 'string' ? text : '';
};

const defaultText = (schema: JsonSchema): string =>
  schema['default'] === undefined ? '' : `\`${JSON.stringify(schema['default']).replaceAll('"', '')}\``;

const KINDS: ReadonlyMap<string, string> = new Map([
  ['object', 'see above'],
  ['string', 'text'],
  ['array', 'list of texts'],
]);

/** JSON Schema says "no upper bound" for integers with the largest safe one. */
function bounds(schema: JsonSchema): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${String(value)}\``).join(', ');
  const { minimum, maximum } = schema;
  const kind = schema['type'] === 'integer' ? 'whole number' : textOf(schema, 'type');
  if (typeof minimum === 'number' && typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER) {
    return `${kind}, ${minimum} to ${maximum}`;
  }
  return KINDS.get(kind) ?? kind;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
