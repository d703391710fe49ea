/** Every port there is to look at; 0 is none. */
const LAST_PORT = 65_535;

/** Port numbers as `ReportScope` writes them: sorted, as ranges; `all` for 1 to 65535. */
export function portRanges(ports: Iterable<number>): string {
  const asked = new Uint8Array(LAST_PORT + 2);
  for (const port of ports) if (port >= 1 && port <= LAST_PORT) asked[port] = 1;
  return ranges(asked);
}

/**
 * The union of lists like `22,80,8000-8010`, as `ReportScope` writes it. Undefined when one of them is no such list:
 * then nothing is known.
 */
export function unitedRanges(lists: readonly string[]): string | undefined {
  const asked = new Uint8Array(LAST_PORT + 2);
  return mark(asked, lists, 1) ? ranges(asked) : undefined;
}

/** What of a list is in none of the others; undefined as for `unitedRanges`. */
export function rangesWithout(list: string, others: readonly string[]): string | undefined {
  const asked = new Uint8Array(LAST_PORT + 2);
  const first = list === 'all' ? `1-${LAST_PORT}` : list;
  return mark(asked, [first], 1) && mark(asked, others, 0) ? ranges(asked) : undefined;
}

/** How many ports a list made by `unitedRanges` holds. */
export const portsIn = (list: string): number =>
  (list === 'all' ? `1-${LAST_PORT}` : list).split(',').reduce((sum, part) => {
    const [first = Number.NaN, last = first] = part.split('-').map(Number);
    return part === '' ? sum : sum + last - first + 1;
  }, 0);

/** False when one of the lists is none. */
function mark(asked: Uint8Array, lists: readonly string[], value: 0 | 1): boolean {
  for (const part of lists.flatMap((list) => list.split(','))) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (!(first <= last && last <= LAST_PORT)) return false;
    asked.fill(value, Math.max(1, first), last + 1);
  }
  return true;
}

/** @param asked 1 at each port that was asked for; one entry longer than there are ports. */
function ranges(asked: Uint8Array): string {
  const parts: string[] = [];
  for (let port = asked.indexOf(1); port !== -1;) {
    const next = asked.indexOf(0, port);
    parts.push(next - 1 === port ? `${port}` : `${port}-${next - 1}`);
    port = asked.indexOf(1, next);
  }
  const text = parts.join(',');
  return text === `1-${LAST_PORT}` ? 'all' : text;
}
