import { z } from 'zod';

/** Names of several routes at once. */
export const ROUTE_GROUPS = {
  download: [
    'GET /scans/{id}/export/{file}/download',
    'GET /tokens/{token}/download',
    'GET /scans/exports/{token}/download',
  ],
  export_status: ['GET /scans/{id}/export/{file}/status', 'GET /tokens/{token}/status'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** One way a server misbehaves, and when. */
export const Fault = z.strictObject({
  on: z
    .string()
    .regex(
      /^(\*|download|export_status|(GET|POST|PUT|DELETE) (\*|\/\S*))$/,
      'must be like "POST /scans/{id}/launch", "GET *", "*", download or export_status',
    )
    .describe('The route, with {id} for a number, or the exact path.'),
  nth: z.int().min(1).optional().describe('The nth such request; every one without it.'),
  times: z.int().min(1).optional().describe('How many from the nth on; 1.'),
  do: z.enum([
    'reset',
    'reset_after_success',
    'hang',
    'hang_after_success',
    'delay',
    'status',
    'forbidden',
    'logged_out',
    'html_page',
    'half_json',
    'empty_body',
    'slow_body',
    'endless_body',
    'truncate',
    'cut_clean',
    'wrong_length',
  ]),
  code: z.int().min(400).max(599).default(500).describe('For "status".'),
  retry_after: z.union([z.string(), z.number()]).optional().describe('For "status": the header, seconds or a date.'),
  html: z.boolean().default(false).describe('For "status": a page of a proxy instead of JSON.'),
  ms: z
    .number()
    .min(0)
    .max(3_600_000)
    .default(1_000)
    .describe('Real time: of "delay", or between pieces of "slow_body".'),
  bytes: z
    .int()
    .min(0)
    .default(1_000)
    .describe('"truncate", "cut_clean": kept. "slow_body": of a piece. "wrong_length": added to the true length.'),
});
export type Fault = z.infer<typeof Fault>;
export type FaultInput = z.input<typeof Fault>;

interface Asked {
  readonly method: string;
  /** Like `/scans/{id}`; undefined for a path no route has. */
  readonly route: string | undefined;
  readonly path: string;
}

const nameless = (route: string): string => route.replace(/\{[^}]*\}/g, '{}');

function fits(on: string, { method, route, path }: Asked): boolean {
  if (on === '*' || on === `${method} *`) return true;
  const own = route === undefined ? undefined : nameless(`${method} ${route}`);
  if (on === 'download' || on === 'export_status') return ROUTE_GROUPS[on].some((name) => nameless(name) === own);
  return nameless(on) === own || on === `${method} ${path}`;
}

/** Counts requests and says which of them go wrong. */
export class Faults {
  #planned: { readonly fault: Fault; seen: number }[] = [];

  add(fault: Fault): void {
    this.#planned.push({ fault, seen: 0 });
  }

  clear(): void {
    this.#planned = [];
  }

  /** What goes wrong with this request; each fault that names its route counts it. */
  next(asked: Asked): Fault | undefined {
    let due: Fault | undefined;
    for (const planned of this.#planned) {
      const { fault } = planned;
      if (!fits(fault.on, asked)) continue;
      planned.seen += 1;
      const first = fault.nth ?? 1;
      const most = fault.times ?? (fault.nth === undefined ? Number.POSITIVE_INFINITY : 1);
      if (planned.seen >= first && planned.seen < first + most) due ??= fault;
    }
    return due;
  }
}
