import type { XmlAttributes } from '../platform/xml-reader.ts';

/** One element that is small enough to be held whole: a result, an alert. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: XmlAttributes;
  /** All of its own text and CDATA, as it stands. */
  text: string;
  readonly children: XmlNode[];
}

/** Collects one element while it streams by. */
export interface XmlTree {
  readonly root: XmlNode;
  /** False when it holds more than the limits: the caller refuses the report. */
  open(name: string, attributes: XmlAttributes): boolean;
  text(text: string): boolean;
  /** True when the element itself has ended. */
  close(): boolean;
}

export interface XmlTreeLimits {
  readonly nodes: number;
  /** UTF-16 units of text and attributes together. */
  readonly chars: number;
}

export function createXmlTree(name: string, attributes: XmlAttributes, limits: XmlTreeLimits): XmlTree {
  const root: XmlNode = { name, attributes, text: '', children: [] };
  const path = [root];
  let nodes = 1;
  let chars = 0;
  return {
    root,
    open(childName, childAttributes) {
      const node: XmlNode = { name: childName, attributes: childAttributes, text: '', children: [] };
      path.at(-1)?.children.push(node);
      path.push(node);
      nodes += 1;
      for (const value of Object.values(childAttributes)) chars += value?.length ?? 0;
      return nodes <= limits.nodes && chars <= limits.chars;
    },
    text(text) {
      const node = path.at(-1);
      if (node) node.text += text;
      chars += text.length;
      return chars <= limits.chars;
    },
    close() {
      path.pop();
      return path.length === 0;
    },
  };
}

/** The first child with this name. */
export const childOf = (node: XmlNode | undefined, name: string): XmlNode | undefined =>
  node?.children.find((child) => child.name === name);

export const childrenOf = (node: XmlNode | undefined, name: string): readonly XmlNode[] =>
  node?.children.filter((child) => child.name === name) ?? [];

/** Text of the first child with this name, without the space around it; undefined when there is none or it is empty. */
export function textOf(node: XmlNode | undefined, name: string): string | undefined {
  const text = childOf(node, name)?.text.trim();
  return text === undefined || text === '' ? undefined : text;
}

/** Text that was wrapped and indented, on one line. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
