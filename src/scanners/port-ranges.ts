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
  for (const part of lists.flatMap((list) => list.split(','))) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(part.trim());
    const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
    if (!(first <= last && last <= LAST_PORT)) return undefined;
    asked.fill(1, Math.max(1, first), last + 1);
  }
  return ranges(asked);
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
