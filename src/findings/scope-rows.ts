import { z } from 'zod';
import type { ReportScope } from '../model/report.ts';
import { lineText } from '../model/untrusted.ts';
import type { Database } from '../platform/sqlite.ts';

/** Long enough to name every second port by itself. */
const Ports = z
  .string()
  .max(200_000)
  .regex(/^(all|[\d,-]*)$/);
const RuleNames = z.array(lineText(200)).max(200_000);

const Scope = z.strictObject({
  place: lineText(500).optional(),
  tcpPorts: Ports.optional(),
  udpPorts: Ports.optional(),
  tcpPortList: lineText(100).optional(),
  udpPortList: lineText(100).optional(),
  portsAnswered: z.boolean().optional(),
  families: RuleNames.optional(),
  rules: RuleNames.optional(),
  rulesNotRun: RuleNames.optional(),
  reportsMore: z.boolean().optional(),
  rulesAsOf: z.iso.datetime().optional(),
});

/** What a report says it looked for, on its way into a findings file. */
export interface ScopeRows {
  /** @throws ZodError when it does not fit */
  add(scope: ReportScope): void;
  /** There was more than is kept, so that none is: what is not said is not proven. */
  overflowed(): boolean;
  writeTo(db: Database): void;
}

export interface ScopeLimits {
  readonly maxScopes: number;
  /** Of all of them as JSON, in UTF-16 units. */
  readonly maxChars: number;
}

/** A comparison holds all of them in memory. */
const SCOPE_LIMITS: ScopeLimits = { maxScopes: 100_000, maxChars: 16 << 20 };

export function createScopeRows({ maxScopes, maxChars }: ScopeLimits = SCOPE_LIMITS): ScopeRows {
  let rows: string[] = [];
  let chars = 0;
  let isOver = false;
  return {
    add(scope) {
      const json = JSON.stringify(Scope.parse(scope));
      if (isOver) return;
      chars += json.length;
      isOver = rows.length === maxScopes || chars > maxChars;
      if (isOver) {
        // Scopes add up, and some of them take away: a part of them could claim what all of them do not.
        rows = [];
        return;
      }
      rows.push(json);
    },
    overflowed: () => isOver,
    writeTo(db) {
      const insert = db.prepare('INSERT INTO scope VALUES (?, ?)');
      rows.forEach((json, id) => insert.run(id, json));
    },
  };
}
