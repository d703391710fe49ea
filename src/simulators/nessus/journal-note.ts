import type { AuthKind } from './call.ts';
import type { Fault } from './fault.ts';
import { markerIn, type Journal } from './journal.ts';
import type { Found } from './router.ts';
import type { Server } from './server-state.ts';
import type { Scan } from './state.ts';

/** What a request asks for, before its body has come. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly found: Found | 404 | 405;
  readonly auth: AuthKind;
  readonly fault: Fault | undefined;
}

/** No marker stands further behind. */
const MOST_READ = 100_000;

/** What the journal will say of a request: begun at its arrival, before it changes anything. */
export class JournalNote {
  readonly #deps: { readonly server: Server; readonly journal: Journal };
  readonly #asked: Asked;
  readonly #inFlight: number;
  readonly #route: string | undefined;
  readonly #scanId: number | undefined;
  readonly #seq: number;
  readonly #at: number;
  #scans: readonly Scan[];
  #markerInBody: string | null = null;
  #isWritten = false;

  constructor(deps: { readonly server: Server; readonly journal: Journal }, asked: Asked, inFlight: number) {
    const { found } = asked;
    this.#deps = deps;
    this.#asked = asked;
    this.#inFlight = inFlight;
    this.#seq = deps.journal.nextSeq();
    this.#at = Math.floor(deps.server.clock.now());
    this.#route = typeof found === 'number' ? undefined : found.route.path;
    const id = typeof found !== 'number' && this.#route?.startsWith('/scans/') ? found.params['id'] : undefined;
    this.#scanId = id === undefined ? undefined : Number(id);
    this.#scans = this.#scanId === undefined ? [] : this.#known([this.#scanId]);
  }

  /** A new scan has its marker in the body, and a deletion of many its scans. */
  read(body: Buffer): void {
    const text = body.subarray(0, MOST_READ).toString('utf8');
    this.#markerInBody = markerIn(text);
    if (this.#asked.method !== 'DELETE' || this.#route !== '/scans') return;
    this.#scans = this.#known((/"ids"\s*:\s*\[([^\]]*)\]/.exec(text)?.[1] ?? '').split(',').map(Number));
  }

  /** Only the first time: what was decided counts, not what became of the answer. */
  write(status: number | null): void {
    if (this.#isWritten) return;
    this.#isWritten = true;
    const { method, path, query, auth, fault } = this.#asked;
    const origins = this.#scans.map(({ origin }) => origin);
    this.#deps.journal.add({
      seq: this.#seq,
      at: this.#at,
      method,
      path,
      route: this.#route ?? null,
      query: Object.fromEntries(query),
      scan_id: this.#scanId ?? null,
      scan_origin: origins.find((origin) => origin === 'foreign') ?? origins[0] ?? null,
      marker: markerIn(...this.#scans.flatMap(({ name, description }) => [name, description])) ?? this.#markerInBody,
      status,
      auth,
      in_flight: this.#inFlight,
      fault: fault?.do ?? null,
    });
  }

  #known(ids: readonly number[]): Scan[] {
    return ids.flatMap((id) => this.#deps.server.state.scan(id) ?? []);
  }
}
