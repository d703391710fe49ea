import type { XmlAttributes } from '../../platform/xml-reader.ts';
import { rangesWithout, unitedRanges } from '../port-ranges.ts';

/** Which ports of one host said something, open or closed: nothing ran at the others, whatever was asked for. */
export interface PortAnswers {
  port(protocol: string, port: number, isAnswer: boolean): void;
  /** `<extraports>`: many ports of one state, as a rule without saying which. */
  group(isAnswer: boolean, count: number): void;
  /** `<extrareasons>` of the last group, which name its ports since nmap 7.92. */
  reason(attributes: XmlAttributes): void;
  /** Of the ports asked for, those that answered, written as a scope; the same for equal hosts. */
  key(): string;
  among(protocol: string, asked: string): string | undefined;
}

/** Ports and ranges kept of one host. */
const MOST_PARTS = 70_000;

/** What the document says of the ports of all its hosts. */
export interface AskedPorts {
  /** The report leaves out ports that are not open, so that one it does not name may have been silent. */
  readonly isOpenOnly: boolean;
  /** Of all protocols together. */
  readonly count: number;
}

export function createPortAnswers({ isOpenOnly, count: asked }: AskedPorts): PortAnswers {
  const answered = new Map<string, string[]>();
  const silent = new Map<string, string[]>();
  let parts = 0;
  /** Ports without an answer that are counted and not named. */
  let unnamed = 0;
  let isGroupAnswer = false;
  /** Ports that the report says anything of, by name or as part of a group. */
  let told = 0;
  let isOver = false;

  const keep = (protocol: string, ports: string, isAnswer: boolean): void => {
    parts += 1;
    isOver ||= parts > MOST_PARTS;
    if (isOver) return;
    const lists = isAnswer ? answered : silent;
    const list = lists.get(protocol);
    if (list) list.push(ports);
    else lists.set(protocol, [ports]);
  };

  /** A port that is not named may have been silent: it is in a group that was, or left out of the report. */
  const mayBeSilent = (): boolean => unnamed > 0 || isOpenOnly || told < asked;

  return {
    port(protocol, port, isAnswer) {
      told += 1;
      keep(protocol, `${port}`, isAnswer);
    },
    group(isAnswer, count) {
      isGroupAnswer = isAnswer;
      told += count > 0 ? count : 0;
      if (!isAnswer && count > 0) unnamed += count;
    },
    reason({ proto = '', ports = '', count }) {
      if (proto === '' || unitedRanges([ports]) === undefined) return;
      keep(proto, ports, isGroupAnswer);
      if (!isGroupAnswer) unnamed -= Math.max(0, Number(count) || 0);
    },
    key() {
      const named = mayBeSilent() ? [...answered] : [];
      return JSON.stringify([isOver, mayBeSilent(), [...silent], named]);
    },
    among(protocol, asked) {
      const said = answered.get(protocol) ?? [];
      if (isOver || mayBeSilent()) return unitedRanges(said) || undefined;
      return rangesWithout(asked, silent.get(protocol) ?? []) || undefined;
    },
  };
}
