import type { Coverage, Place } from '../../model/coverage.ts';
import type { ExportHeader, ExportSource } from './source.ts';

/** Places that were not fully looked at for one reason. */
export interface PlacesLeft {
  readonly why: string;
  readonly count: number;
  /** The first of them. */
  readonly places: readonly string[];
}

const STATUS = {
  tested: 'looked at',
  partial: 'only partly looked at',
  unreachable: 'unreachable',
  not_tested: 'not tested',
} as const satisfies Record<Place['status'], string>;

/** More reasons than anybody reads; a report may give each place its own. */
const MOST_REASONS = 100;

/**
 * Places that were not fully looked at, by reason.
 * @param most Places that are named, of each reason.
 */
export function placesLeft(source: ExportSource, most: number): readonly PlacesLeft[] {
  const reasons = new Map<string, { why: string; count: number; places: string[] }>();
  for (const { place, status, reason } of source.places()) {
    if (status === 'tested') continue;
    const said = reason === undefined ? STATUS[status] : `${STATUS[status]}: ${reason}`;
    const why = reasons.has(said) || reasons.size < MOST_REASONS ? said : 'other reasons';
    const known = reasons.get(why) ?? { why, count: 0, places: [] };
    reasons.set(why, known);
    known.count += 1;
    if (known.places.length < most) known.places.push(place);
  }
  const { tested, requested } = source.header.coverage;
  const listed = [...reasons.values()].reduce((sum, { count }) => sum + count, 0);
  const unlisted = requested - tested - listed;
  // A scan that ended before it began has no list of places.
  return unlisted > 0
    ? [...reasons.values(), { why: 'not looked at', count: unlisted, places: [] }]
    : [...reasons.values()];
}

/** Places by what became of them, without the kinds there are none of. */
export function coverageParts(
  coverage: Coverage,
): { readonly status: Place['status']; readonly words: string; readonly count: number }[] {
  const statuses = ['tested', 'partial', 'unreachable', 'not_tested'] as const;
  return statuses
    .map((status) => ({ status, words: STATUS[status], count: coverage[status] }))
    .filter(({ count }) => count > 0);
}

/** The verdict as a heading. */
export const verdictTitle = ({ scan }: ExportHeader): string => `Verdict: ${scan.verdict.replace('_', ' ')}`;

type Scan = ExportHeader['scan'];

/** Undefined where nobody knows: most reports that are imported do not say. */
export function accessText({ access, origin }: Scan): string | undefined {
  if (access === 'authenticated') return 'with a login';
  return origin === 'imported' ? undefined : 'without a login';
}

/** Nobody asked for the places of a report that was made elsewhere. */
export const whosePlaces = ({ origin }: Scan): string => (origin === 'imported' ? 'in the report' : 'asked for');

/** For where no check and no place is known to be missing: that none is, only a whole scan of ours proves. */
export function nothingLeftText({ scan, whole }: ExportHeader): string {
  if (scan.origin === 'imported') return 'What the report itself left out is not known.';
  return scan.verdict === 'complete' && whole
    ? 'Nothing was left out.'
    : 'What was left out is not known: the scan did not come to its end.';
}

/** A moment as people write it, in UTC. */
export const momentText = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
