import { findingId } from '../model/ids.ts';
import { createDetails } from './finding-details.ts';
import { indexOfPrint } from './match-prints.ts';
import { placeKey } from './look-scope.ts';
import { absentTest } from './marked-absent.ts';
import { addressKey } from './address-key.ts';
import { renamedAddresses } from './read-look.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import type { Presence, PresenceInput, Witness, WitnessInput } from './searching.ts';

/** The most urgent finding of the same weakness at the same place in a file. */
export const findWitness = (files: OpenFiles, input: WitnessInput): Promise<Witness | undefined> =>
  files.use(input.ref.file, (file) => witness(file, input));

function witness(
  file: OpenFindings,
  { ref, cves, labels, port, package: pkg, not }: WitnessInput,
): Witness | undefined {
  const rules = idsOf(file, 'SELECT rule AS id FROM rule_cve WHERE cve = ?', cves);
  const hosts = idsOf(file, 'SELECT id FROM host WHERE label = ?', labels);
  if (rules.size === 0 || hosts.size === 0) return undefined;
  const details = createDetails(file);
  const isAbsent = absentTest(file);
  const isThere = (index: number): boolean =>
    hosts.has(file.host[index] ?? 0) && portOf(file.port[index]) === portOf(port) && !isAbsent(index);
  for (let index = 0; index < file.count; index += 1) {
    const rule = file.rule[index] ?? 0;
    if (!rules.has(rule) || !isThere(index)) continue;
    if (pkg !== undefined && details.place(index).package !== pkg) continue;
    const id = findingId(ref.scanId, index + 1);
    if (id !== not) return { finding_id: id, severity: details.rule(rule).severity };
  }
  return undefined;
}

/** 0 and less stand for none. */
const portOf = (port: number | undefined): number => Math.max(port ?? 0, 0);

function idsOf({ db }: OpenFindings, sql: string, values: readonly string[]): Set<number> {
  const rows = [...new Set(values)].flatMap((value) => db.prepare(sql).all(value));
  return new Set(rows.map(({ id }) => Number(id)));
}

/** Whether a fingerprint is in a file, and whether that says anything. What the report lists as gone is not present. */
export const findPresence = (files: OpenFiles, input: PresenceInput): Promise<Presence> =>
  files.use(input.file, (file) => {
    const index = indexOfPrint(file.prints(), Buffer.from(input.fingerprint, 'hex'));
    const isGone = index >= 0 && absentTest(file)(index);
    const present = index >= 0 && !isGone;
    const statement = file.db.prepare('SELECT status FROM place WHERE place = ?');
    const renamed = renamedAddresses(file);
    const looked = input.labels.some((label) => {
      if (renamed.has(addressKey(label))) return false;
      const status = statement.get(placeKey(label))?.['status'];
      return status === 'tested' || status === 'partial';
    });
    return { present, looked: index >= 0 || looked };
  });
