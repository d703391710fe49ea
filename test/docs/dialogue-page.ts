/** One call of a dialogue and the answer the page shows for it. */
export interface DialogueStep {
  readonly tool: string;
  readonly arguments: string;
  /** As it stands in the page; empty when none is there yet. */
  readonly answer: string;
  /** State that a scan must have reached before the call, when the page says so. */
  readonly awaited?: { readonly scan: string; readonly state: string };
  /** Where the answer stands in the page, fences included. */
  readonly from: number;
  readonly to: number;
}

export interface Dialogue {
  readonly title: string;
  /** What is there to be scanned; named in a comment below the title. */
  readonly scene: string;
  readonly steps: readonly DialogueStep[];
}

const CALL =
  /(?:<!-- wait until (?<scan>scan_\d+) is (?<state>\w+) -->\s*)?```json call\n(?<call>[\s\S]*?)\n```\n(?<block>\n?```(?:json|text) answer\n(?<answer>[\s\S]*?)\n?```\n)?/g;

/** The dialogues of a page: every section that names its scene. */
export function dialoguesIn(page: string): Dialogue[] {
  const starts = [...page.matchAll(/^## (.+)\n\n<!-- scene: ([\w-]+) -->$/gm)];
  return starts.map((start) => {
    const next = page.indexOf('\n## ', start.index + 1);
    const body = page.slice(start.index, next === -1 ? undefined : next);
    return { title: start[1] ?? '', scene: start[2] ?? '', steps: stepsIn(body, start.index) };
  });
}

function stepsIn(body: string, offset: number): DialogueStep[] {
  return [...body.matchAll(CALL)].map((match) => {
    const { scan, state, call = '', block = '', answer = '' } = match.groups ?? {};
    const [, tool = '', args = '{}'] = /^\{"tool": "(\w+)", "arguments": ([\s\S]*)\}$/.exec(call) ?? [];
    const to = offset + match.index + match[0].length;
    return {
      tool,
      arguments: args,
      answer,
      ...(scan === undefined || state === undefined ? {} : { awaited: { scan, state } }),
      from: to - block.length,
      to,
    };
  });
}

/** An answer as the page shows it: one line per key, and per entry of a list of objects. */
export function layOut(answer: string): string {
  if (!answer.startsWith('{')) return `\n\`\`\`text answer\n${answer}\n\`\`\`\n`;
  const parsed: unknown = JSON.parse(answer);
  const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : [];
  const lines = entries.map(([key, value]: [string, unknown]) => `  ${JSON.stringify(key)}: ${lineOf(value)}`);
  return `\n\`\`\`json answer\n{\n${lines.join(',\n')}\n}\n\`\`\`\n`;
}

function lineOf(value: unknown): string {
  const isList = Array.isArray(value) && value.some((entry) => typeof entry === 'object');
  return isList ? `[\n${value.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]` : JSON.stringify(value);
}

/** What is written between the fences of an answer, whatever its layout. */
export const answerText = (shown: string): string =>
  shown.startsWith('{') ? JSON.stringify(JSON.parse(shown)) : shown;
