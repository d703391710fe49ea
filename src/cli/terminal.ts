import { variable, type Environment } from '../config/environment.ts';

const ESCAPES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36 } as const;
export type Style = keyof typeof ESCAPES;

/** Where a command writes. Answers go to stdout, everything said about them to stderr. */
export interface Terminal {
  /** Columns of stdout; without bound when it is no terminal: what is piped on is never cut. */
  readonly columns: number;
  /** Columns of stderr, where lines are drawn again. */
  readonly liveColumns: number;
  /** True when stderr is a terminal that can redraw a line. */
  readonly isLive: boolean;
  out(text: string): void;
  note(text: string): void;
  /** Writes on stderr without a newline, for a line that is drawn again. */
  redraw(text: string): void;
  /** Colours when stdout is a terminal and NO_COLOR (no-color.org) is not set. */
  paint(text: string, style: Style): string;
}

/** The streams as a terminal needs them; those of the process, or a test's. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const LEAST_COLUMNS = 40;
/** Of a terminal that does not say. */
const USUAL_COLUMNS = 80;

const columnsOf = ({ columns }: OutputStream): number => Math.max(LEAST_COLUMNS, columns || USUAL_COLUMNS);

export function createTerminal(stdout: OutputStream, stderr: OutputStream, env: Environment): Terminal {
  const isDumb = variable(env, 'TERM') === 'dumb';
  const colours = stdout.isTTY === true && !isDumb && variable(env, 'NO_COLOR') === undefined;
  return {
    columns: stdout.isTTY === true ? columnsOf(stdout) : Number.POSITIVE_INFINITY,
    liveColumns: columnsOf(stderr),
    isLive: stderr.isTTY === true && !isDumb,
    out: (text) => void stdout.write(`${text}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    redraw: (text) => void stderr.write(`\r\u001b[2K${text}`),
    paint: (text, style) => (colours && text !== '' ? `\u001b[${ESCAPES[style]}m${text}\u001b[0m` : text),
  };
}
