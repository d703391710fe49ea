import type { ReportEvent } from '../../model/report.ts';
import { familyOf, lookedAt, type Artifact, type ResultFacts } from './place.ts';

export interface Looks {
  /** What a result proves by being there; each fact is given once. */
  of(artifact: Artifact, result: ResultFacts): readonly ReportEvent[];
}

const MAX_FACTS = 100_000;

/**
 * A result is proof of a look at the image or at its file, by its family of checks: Trivy lists package lists it went
 * through also when they had nothing.
 *
 * It is no proof that what is not listed is not there, so there is never a scope. `--severity`, `--ignore-unfixed`,
 * `--ignore-status`, `.trivyignore`, VEX documents, policies and comments in the scanned files leave findings out, and
 * nothing in a report says that none of them was in use. A check that passed at one resource of a file may have been
 * told to ignore another.
 */
export function createLooks(): Looks {
  const known = new Set<string>();
  const isNew = (...fact: readonly string[]): boolean => {
    const key = JSON.stringify(fact);
    if (known.has(key) || known.size >= MAX_FACTS) return false;
    known.add(key);
    return true;
  };
  return {
    of(artifact, result) {
      const events: ReportEvent[] = [];
      const place = lookedAt(artifact, result);
      const family = familyOf(result);
      if (place === undefined) return events;
      if (isNew('place', place)) events.push({ kind: 'place', place: { place, status: 'tested' } });
      if (family !== undefined && isNew('family', place, family))
        events.push({ kind: 'checks', lookedFor: [family], notLookedFor: [] });
      return events;
    },
  };
}
