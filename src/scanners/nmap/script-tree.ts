import type { XmlAttributes } from '../../platform/xml-reader.ts';

/** A `<table>` or `<elem>` of a script's structured output. */
export interface ScriptNode {
  readonly key: string;
  text: string;
  readonly children: ScriptNode[];
}

export interface ScriptResult {
  readonly id: string;
  /** What the script printed: mostly what the target said. */
  readonly output: string;
  readonly tables: readonly ScriptNode[];
}

/** Structured output beyond this is dropped: the printed output says the same. */
const MAX_NODES = 20_000;
const MAX_TEXT_CHARS = 1 << 20;

/** Collects one `<script>` while it streams by. */
export interface ScriptBuilder {
  open(attributes: XmlAttributes): void;
  text(text: string): void;
  close(): void;
  result(): ScriptResult;
}

export function createScriptBuilder(attributes: XmlAttributes): ScriptBuilder {
  const root: ScriptNode = { key: '', text: '', children: [] };
  const path = [root];
  let nodes = 0;
  let chars = 0;
  return {
    open({ key }) {
      const node: ScriptNode = { key: key?.slice(0, 300) ?? '', text: '', children: [] };
      nodes += 1;
      if (nodes <= MAX_NODES) path.at(-1)?.children.push(node);
      path.push(node);
    },
    text(text) {
      const node = path.at(-1);
      chars += text.length;
      if (node && node !== root && chars <= MAX_TEXT_CHARS) node.text += text;
    },
    close() {
      if (path.length > 1) path.pop();
    },
    result: () => ({ id: attributes['id'] ?? 'unknown', output: attributes['output'] ?? '', tables: root.children }),
  };
}

/** The first child with this key. */
export const child = (node: ScriptNode, key: string): ScriptNode | undefined =>
  node.children.find((candidate) => candidate.key === key);
