/** What a script printed of what it judged, when it showed a weakness. */
export interface PrintedVerdict {
  readonly cves: readonly string[];
  /** Nothing more than likely. */
  readonly isLikely: boolean;
  readonly isExploited: boolean;
  /** The worst that is named; a low one is not given. */
  readonly risk: 'high' | 'medium' | undefined;
}

const MAX_CHARS = 100_000;
const STATE = /^[ \t|_]{0,20}State:[ \t]{0,20}(LIKELY )?VULNERABLE( \((?:DoS|Exploitable)\))?[ \t\r]*$/gm;
const RISK = /^[ \t|_]{0,20}Risk factor:[ \t]{0,20}(High|Medium)\b/gim;
const IDS = /^[ \t|_]{0,20}IDs:(.{0,2000})$/gm;

/** The verdict in the text of nselib/vulns.lua (`State: VULNERABLE`). Undefined when it shows no weakness. */
export function printedVerdict(output: string): PrintedVerdict | undefined {
  const text = output.slice(0, MAX_CHARS);
  const states = [...text.matchAll(STATE)];
  if (states.length === 0) return undefined;
  const risks = [...text.matchAll(RISK)].map(([, risk]) => risk?.toLowerCase());
  const ids = [...text.matchAll(IDS)].flatMap(([, line]) => line?.match(/\bCVE-\d{4}-\d{4,12}\b/gi) ?? []);
  return {
    cves: [...new Set(ids.map((id) => id.toUpperCase()))],
    isLikely: states.every(([, likely]) => likely !== undefined),
    isExploited: states.some(([, , how]) => how !== undefined),
    risk: (['high', 'medium'] as const).find((risk) => risks.includes(risk)),
  };
}
