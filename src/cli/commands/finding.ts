import { FindingInput } from '../../model/contract/results.ts';
import { exitCode } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { findingText } from '../render/finding-report.ts';
import type { Session } from '../session.ts';

/** People scroll: a finding is only cut where the use case must cut. */
const MOST_TOKENS = 20_000;

/** `scanmux finding <finding_id>`: one finding in full. */
export const finding = (session: Session, findingId: string, { json }: { json?: boolean }): Promise<number> =>
  session.withApp(async ({ scans }) => {
    const input = readInput(FindingInput, { finding_id: findingId, max_tokens: MOST_TOKENS });
    const found = await scans.finding(input, session.ask());
    session.terminal.out(json === true ? JSON.stringify(found, undefined, 2) : findingText(found, session.terminal));
    return exitCode('ok');
  });
