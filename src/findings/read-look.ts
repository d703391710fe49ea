import type { LookFacts, ScanLook } from './look-proof.ts';
import { readLooked } from './looked.ts';
import type { OpenFindings } from './open-findings.ts';

/** Everything a findings file and the record of its scan show of where and for what it looked. */
export function readLook(file: OpenFindings, facts: LookFacts): ScanLook {
  const { places, scopes } = readLooked(file);
  let labels: ReadonlySet<unknown> | undefined;
  const hasLabel = (label: string): boolean => {
    labels ??= new Set(
      file.db
        .prepare('SELECT label FROM host')
        .all()
        .map((row) => row['label']),
    );
    return labels.has(label);
  };
  return { facts: { ...facts, endedWhole: facts.endedWhole && reportEnded(file) }, places, scopes, hasLabel };
}

/** The report said itself that it was done, and could be read to there. */
const reportEnded = ({ db }: OpenFindings): boolean =>
  db.prepare("SELECT value FROM meta WHERE key = 'ended'").get()?.['value'] === 'true';
