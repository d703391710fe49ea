/** What plugin 19506 (Nessus Scan Information) says about the scan of one host. */
export interface ScanFacts {
  readonly version?: string;
  readonly pluginFeed?: string;
  /** Whether any port scanner ran, and over which range, in Nessus's words. */
  readonly portRange?: string;
  readonly credentialed?: boolean;
}

/** The words stand within the first lines; one host's text must not cost more. */
const HEAD_CHARS = 8_000;

export function scanFacts(output: string): ScanFacts {
  const lines = new Map<string, string>();
  for (const line of output.slice(0, HEAD_CHARS).split('\n')) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const key = line.slice(0, colon).trim();
    if (!lines.has(key)) lines.set(key, line.slice(colon + 1).trim());
  }
  const version = matching(/^[\w.+-]{1,40}$/, lines.get('Nessus version'));
  const pluginFeed = matching(/^\d{6,20}$/, lines.get('Plugin feed version'));
  const portRange = lines.get('Port scanner(s)') ? lines.get('Port range') : undefined;
  const credentialed = /^(yes|no)\b/i.exec(lines.get('Credentialed checks') ?? '')?.[1]?.toLowerCase();
  return {
    ...(version ? { version } : {}),
    ...(pluginFeed ? { pluginFeed } : {}),
    ...(portRange ? { portRange } : {}),
    ...(credentialed ? { credentialed: credentialed === 'yes' } : {}),
  };
}

const matching = (pattern: RegExp, text: string | undefined): string | undefined =>
  text !== undefined && pattern.test(text) ? text : undefined;
