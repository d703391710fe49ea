import type { Coverage, Place } from '../../model/coverage.ts';
import type { ExportHeader, ExportSource } from './source.ts';

/** Words of a place that was not fully looked at. */
export interface PlaceLeft {
  readonly place: string;
  readonly why: string;
}

const STATUS = {
  tested: 'looked at',
  partial: 'only partly looked at',
  unreachable: 'unreachable',
  not_tested: 'not tested',
} as const satisfies Record<Place['status'], string>;

/** The first places that were not fully looked at, and how many more there are. */
export function placesLeft(source: ExportSource, most: number): { readonly first: PlaceLeft[]; readonly more: number } {
  const { tested, requested } = source.header.coverage;
  const first: PlaceLeft[] = [];
  for (const { place, status, reason } of source.places()) {
    if (status === 'tested') continue;
    first.push({ place, why: reason === undefined ? STATUS[status] : `${STATUS[status]}: ${reason}` });
    if (first.length === most) break;
  }
  return { first, more: Math.max(0, requested - tested - first.length) };
}

/** Places by what became of them, without the kinds there are none of. */
export function coverageParts(coverage: Coverage): { readonly status: Place['status']; readonly words: string; readonly count: number }[] {
  const statuses = ['tested', 'partial', 'unreachable', 'not_tested'] as const;
  return statuses
    .map((status) => ({ status, words: STATUS[status], count: coverage[status] }))
    .filter(({ count }) => count > 0);
}

/** The verdict in three words. */
export function verdictTitle({ scan }: ExportHeader): string {
  switch (scan.verdict) {
    case 'complete':
      return 'Everything was looked at';
    case 'partial':
      return 'The picture is partial';
    case 'not_tested':
      return 'Nothing was looked at';
  }
}

/** A moment as people write it, in UTC. */
export const momentText = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
