import { isAlias, isNode, LineCounter, parseDocument, visit, type Document } from 'yaml';
import type { JsonPath } from './json-value.ts';
import type { Problem } from './problems.ts';

/** A YAML file as plain JSON, with the way back to its lines. */
export interface YamlText {
  /** Undefined when there are problems; null when the file holds nothing but comments. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Line (from 1) of the innermost part of `path` that is in the file. */
  lineOf(path: JsonPath): number | undefined;
}

/** Configuration is small; a file beyond this is not one. */
const MAX_BYTES = 1 << 20;
/** Plain anchors are welcome, an alias bomb is not. Counts what `yaml` counts: uses times the nodes they stand for. */
const MAX_ALIASES = 100;

const PLAIN_TAGS = new Set(
  ['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((tag) => `tag:yaml.org,2002:${tag}`),
);

/**
 * Our words for the codes of `yaml` 2. Its own messages are not used: some quote the text of the file, which may be a
 * password.
 */
const SYNTAX: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'this alias cannot be used here',
  BAD_DQ_ESCAPE: 'wrong escape in a double-quoted text; use single quotes',
  BAD_INDENT: 'wrong indentation, or a bracket that is not closed',
  BAD_SCALAR_START: 'a text that starts with @ or ` must be quoted',
  BLOCK_AS_IMPLICIT_KEY: 'two keys on one line; quote a text that holds ": "',
  DUPLICATE_KEY: 'this key stands here twice',
  MISSING_CHAR: 'a closing quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key without ":", or a text that goes over several lines',
  MULTIPLE_DOCS: 'only one document per file ("---" starts a second one)',
  NON_STRING_KEY: 'keys must be plain text',
  TAB_AS_INDENT: 'indent with spaces, not tabs',
  TAG_RESOLVE_FAILED: 'tags ("!...") are not allowed',
  UNEXPECTED_TOKEN: 'not understood here; check quotes, brackets and indentation',
};

/** Parses configuration text: YAML 1.2 core schema, string keys, no custom tags, no merge keys, bounded aliases. */
export function parseYaml(text: string, file: string): YamlText {
  if (text.length > MAX_BYTES) {
    return failed([{ where: file, message: `is larger than ${MAX_BYTES} bytes` }]);
  }
  const lines = new LineCounter();
  const doc = parseDocument(text, {
    prettyErrors: false,
    lineCounter: lines,
    uniqueKeys: true,
    stringKeys: true,
    schema: 'core',
    merge: false,
    logLevel: 'error', // `silent` would also drop the error about a second document
  });
  const at = (offset: number, message: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { where: `${file}:${Math.max(line, 1)}:${Math.max(col, 1)}`, message };
  };
  const problems = [...doc.errors, ...doc.warnings].map(({ code, pos }) =>
    at(pos[0], `YAML: ${SYNTAX[code] ?? `syntax error (${code.toLowerCase()})`}`),
  );
  visit(doc, (_key, node, path) => {
    if (isAlias(node) && path.some((outer) => isNode(outer) && 'anchor' in outer && outer.anchor === node.source)) {
      problems.push(at(node.range?.[0] ?? 0, 'YAML: an alias inside what it stands for would never end'));
    }
    if (isNode(node) && node.tag !== undefined && !PLAIN_TAGS.has(node.tag) && !node.tag.startsWith('!')) {
      problems.push(at(node.range?.[0] ?? 0, `YAML: ${SYNTAX['TAG_RESOLVE_FAILED']}`));
    }
  });
  if (problems.length > 0) return failed(problems);
  try {
    const value: unknown = doc.toJS({ maxAliasCount: MAX_ALIASES });
    return { value, problems: [], lineOf: (path) => lineOf(doc, lines, path) };
  } catch {
    // Thrown for an alias without anchor and for too many of them; the message would quote the alias.
    return failed([{ where: file, message: 'YAML: an alias has no anchor, or aliases multiply too much' }]);
  }
}

const failed = (problems: readonly Problem[]): YamlText => ({ value: undefined, problems, lineOf: () => undefined });

function lineOf(doc: Document, lines: LineCounter, path: JsonPath): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = doc.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}
