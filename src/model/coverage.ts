import { z } from 'zod';
import { lineText } from './untrusted.ts';

/**
 * What became of one place that was asked for. `tested` needs positive evidence (a port answered open or closed, an
 * HTTP answer, a login): nmap's `-Pn` "up" and exit code 0 prove nothing.
 */
export const PlaceStatus = z.enum(['tested', 'partial', 'unreachable', 'not_tested']);
export type PlaceStatus = z.infer<typeof PlaceStatus>;

/** How far a login to a place came; absent when none was tried. */
export const LoginOutcome = z.enum(['success', 'partial', 'failed']);
export type LoginOutcome = z.infer<typeof LoginOutcome>;

/** One host (or URL, file, package) and what became of it. */
export const Place = z.strictObject({
  place: lineText(500).describe('Host name, IP address or URL as it was asked for.'),
  status: PlaceStatus,
  reason: lineText(300).optional().describe('Why it is not `tested`, in our words.'),
  login: LoginOutcome.optional().describe('How far a login came; absent when none was tried.'),
});
export type Place = z.infer<typeof Place>;

/**
 * What a place counts as: where a login was tried and did not work everywhere, only what can be seen without one was
 * looked at. The place itself stays `tested`: of what needs no login, that is the truth.
 */
export const fullLook = ({ status, login }: Pick<Place, 'status' | 'login'>): PlaceStatus =>
  status === 'tested' && (login === 'failed' || login === 'partial') ? 'partial' : status;

/** How much of what was asked for was looked at. Travels with every answer about results. */
export const Coverage = z.strictObject({
  requested: z.int().min(0).describe('Places asked for.'),
  tested: z.int().min(0),
  partial: z.int().min(0),
  unreachable: z.int().min(0),
  not_tested: z.int().min(0),
  looked_for: z.array(z.string()).describe('Kinds of check that ran.'),
  not_looked_for: z.array(z.string()).describe('Kinds of check that did not run, and why.'),
});
export type Coverage = z.infer<typeof Coverage>;

export const noCoverage = (requested: number): Coverage => ({
  requested,
  tested: 0,
  partial: 0,
  unreachable: 0,
  not_tested: requested,
  looked_for: [],
  not_looked_for: [],
});

/** `complete`: every requested place was looked at as asked. A scan that could not look is never clean. */
export const Verdict = z.enum(['complete', 'partial', 'not_tested']);
export type Verdict = z.infer<typeof Verdict>;

/**
 * The verdict that coverage allows.
 * @param endedWhole false when the engine was cut short, whatever the places say.
 */
export function verdictOf(coverage: Coverage, endedWhole: boolean): Verdict {
  if (coverage.tested + coverage.partial === 0) return 'not_tested';
  return endedWhole && coverage.tested === coverage.requested ? 'complete' : 'partial';
}

/** Worse of two reports about one place that both hold evidence: a host tested here and silent there is partial. */
export function mergeStatus(a: PlaceStatus, b: PlaceStatus): PlaceStatus {
  if (a === b) return a;
  if ([a, b].some((status) => status === 'tested' || status === 'partial')) return 'partial';
  return 'unreachable';
}
