import type { Severity } from '../../model/finding.ts';
import type { ReportEvent } from '../../model/report.ts';
import { familyOf, lookedAt, type Artifact, type ResultFacts } from './place.ts';

export interface Looks {
  /** A check that ran and found nothing wrong in the result that is being read. */
  passed(rule: string | undefined): void;
  /** A finding of the report: shows what its writer did not filter away. */
  found(name: string, severity: Severity, hasFix: boolean): void;
  /** What a result proves by being there; each fact is given once. */
  of(artifact: Artifact, result: ResultFacts): readonly ReportEvent[];
  /** What the report proves as a whole. */
  ending(): readonly ReportEvent[];
}

const MAX_FACTS = 100_000;
const MAX_RULES = 5_000;

/**
 * A result is proof of a look, at the image or at its file, by its family of checks: Trivy lists package lists it went
 * through also when they had nothing. That a family is absent proves nothing, so it is not said to have run.
 *
 * `--severity` and `--ignore-unfixed` leave no trace in a report. A family has run in full only where the report shows
 * that they were not used: something of low severity, and for packages something without a fix.
 */
export function createLooks(): Looks {
  const places = new Set<string>();
  const families = new Map<string, Set<string>>();
  let facts = 0;
  let rules = new Set<string>();
  let sawLow = false;
  let sawUnfixed = false;
  const isNew = (set: Set<string>, fact: string): boolean => {
    if (set.has(fact) || facts >= MAX_FACTS) return false;
    set.add(fact);
    facts += 1;
    return true;
  };
  const isProven = (family: string): boolean => sawLow && (sawUnfixed || !/^(?:os|lang)-pkgs/.test(family));
  return {
    passed(rule) {
      if (rule !== undefined && rules.size < MAX_RULES) rules.add(rule);
    },
    found(name, severity, hasFix) {
      sawLow ||= severity === 'low';
      sawUnfixed ||= name === 'vulnerability' && !hasFix;
    },
    of(artifact, result) {
      const events: ReportEvent[] = [];
      const place = lookedAt(artifact, result);
      const family = familyOf(result);
      const passed = [...rules];
      rules = new Set();
      if (place === undefined) return events;
      if (isNew(places, place)) events.push({ kind: 'place', place: { place, status: 'tested' } });
      if (family !== undefined) {
        const known = families.get(place) ?? new Set();
        if (isNew(known, family)) events.push({ kind: 'checks', lookedFor: [family], notLookedFor: [] });
        families.set(place, known);
      }
      if (passed.length > 0) events.push({ kind: 'scope', scope: { place, rules: passed } });
      return events;
    },
    ending: () =>
      [...families].flatMap(([place, ran]): ReportEvent[] => {
        const proven = [...ran].filter(isProven);
        return proven.length === 0 ? [] : [{ kind: 'scope', scope: { place, families: proven } }];
      }),
  };
}
