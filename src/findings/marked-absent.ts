import { madeOnce } from './kept.ts';
import type { OpenFindings } from './open-findings.ts';

const ABSENT = `SELECT id FROM body WHERE instr(json, '"report_state":"') > 0
  AND instr(json_extract(json, '$.report_state'), 'baseline: absent') > 0`;

/**
 * Bodies of findings that their own report marks as gone since its baseline (SARIF 2.1.0, 3.27.24; delta reports of
 * OpenVAS): they are in the report and counted, and not at their place any more. Other formats have nothing like it and
 * are not read for it.
 */
const bodiesOf = madeOnce(({ db }: OpenFindings): ReadonlySet<number> => {
  const rows = db.prepare(ABSENT).all();
  return new Set(rows.map(({ id }) => Number(id)));
});

const WITH_BASELINES: ReadonlySet<string> = new Set(['sarif', 'openvas']);

/** Whether the finding at a place of the columns is marked as gone. */
export function absentTest(file: OpenFindings): (index: number) => boolean {
  const bodies = WITH_BASELINES.has(file.engine) ? bodiesOf(file) : undefined;
  return bodies === undefined || bodies.size === 0 ? () => false : (index) => bodies.has(file.body[index] ?? 0);
}
