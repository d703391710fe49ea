/** A column of a table. `least` is the width below which shrinking it stops while others can still give. */
export interface Column {
  readonly title: string;
  readonly least?: number;
}

export interface TableOptions {
  readonly columns: number;
  /** Styles one padded cell; gets the row's cells to decide. Must not change what is visible. */
  readonly style?: (padded: string, column: number, row: readonly string[]) => string;
  readonly head?: (line: string) => string;
}

const GAP = '  ';
/** Marks (width 0) and the wide blocks of East Asian Width and emoji, which take two columns (Unicode UAX #11). */
const MARK = /\p{M}/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;

const charWidth = (char: string): number => (MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1);

/** Columns a text takes on a terminal. */
export const textWidth = (text: string): number => Array.from(text, charWidth).reduce((sum, width) => sum + width, 0);

/** Cuts a text to a width, with an ellipsis where something is missing. */
export function fitText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const char of text) {
    used += charWidth(char);
    if (used > width - 1) break;
    kept += char;
  }
  return width < 1 ? '' : `${kept}…`;
}

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - textWidth(text)));

/** A table no wider than the terminal: the widest columns give way first. Cells are one line of cleaned text. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  { columns: total, style = (padded) => padded, head = (line) => line }: TableOptions,
): string {
  const widths = fitWidths(columns, rows, total);
  const line = (cells: readonly string[]): string[] =>
    columns.map((_, index) => pad(fitText(cells[index] ?? '', widths[index] ?? 0), widths[index] ?? 0));
  const body = rows.map((row) =>
    line(row)
      .map((cell, index) => style(cell, index, row))
      .join(GAP)
      .trimEnd(),
  );
  return [
    head(
      line(columns.map(({ title }) => title))
        .join(GAP)
        .trimEnd(),
    ),
    ...body,
  ].join('\n');
}

function fitWidths(columns: readonly Column[], rows: readonly (readonly string[])[], total: number): number[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((widest, row) => Math.max(widest, textWidth(row[index] ?? '')), textWidth(title)),
  );
  const room = total - GAP.length * (columns.length - 1);
  let over = widths.reduce((sum, width) => sum + width, 0) - room;
  while (over > 0) {
    const widest = widestThatGives(columns, widths);
    if (widest === undefined) break;
    widths[widest] = (widths[widest] ?? 1) - 1;
    over -= 1;
  }
  return widths;
}

function widestThatGives(columns: readonly Column[], widths: readonly number[]): number | undefined {
  let found: number | undefined;
  widths.forEach((width, index) => {
    if (width <= (columns[index]?.least ?? 8)) return;
    if (found === undefined || width > (widths[found] ?? 0)) found = index;
  });
  return found;
}
