import { ScanIdInput } from '../../model/contract/status.ts';
import { isDeadLetter, type ScanRecord } from '../../model/scan.ts';
import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { askAs, ofTenant, type TenantOption } from '../ask-as.ts';
import { exitCode } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { statusText } from '../render/scan-report.ts';
import { renderTable } from '../render/table.ts';
import type { Session } from '../session.ts';

const DAY_MS = 86_400_000;

/** `scanmux dlq list`: scans that failed or ran out of time for good. */
export const listDeadLetters = (
  session: Session,
  { json, ...whose }: { json?: boolean } & TenantOption,
): Promise<number> =>
  session.withApp(async ({ scans }) => {
    const { terminal } = session;
    const ask = askAs(session, whose);
    const found = await scans.deadLetters.list(ask.caller);
    const rows = found.map(({ scanId, state, error, request, finishedAt }) => [
      scanId,
      state,
      error?.code ?? '',
      cleanLine(request.targets.join(' '), 200),
      finishedAt === undefined ? '' : new Date(finishedAt).toISOString(),
    ]);
    const titles = [
      { title: 'SCAN', least: 25 },
      ...['STATE', 'ERROR', 'TARGETS', 'FINISHED'].map((title) => ({ title })),
    ];
    if (json === true) terminal.out(JSON.stringify(found.map(publicFacts), undefined, 2));
    else if (rows.length === 0) {
      terminal.out('No dead letters.');
      terminal.note(ofTenant(ask));
    } else
      terminal.out(
        renderTable(titles, rows, { columns: terminal.columns, head: (line) => terminal.paint(line, 'bold') }),
      );
    return exitCode('ok');
  });

const publicFacts = ({ scanId, state, error, request, attempt }: ScanRecord) => ({
  scan_id: scanId,
  state,
  attempt,
  targets: request.targets,
  scanner_pool: request.pool,
  error,
});

/** `scanmux dlq show <scan_id>`. */
export const showDeadLetter = (
  session: Session,
  scanId: string,
  { json, ...whose }: { json?: boolean } & TenantOption,
): Promise<number> =>
  session.withApp(async ({ scans }) => {
    const found = await scans.status(readInput(ScanIdInput, { scan_id: scanId }), askAs(session, whose));
    if (!isDeadLetter(found.state)) {
      throw new AppError('scan_not_found', `Scan ${found.scan_id} is no dead letter: it is ${found.state}.`, {
        hint: '`scanmux dlq list` shows the dead letters there are.',
      });
    }
    session.terminal.out(json === true ? JSON.stringify(found, undefined, 2) : statusText(found, session.terminal));
    return exitCode('ok');
  });

/** `scanmux dlq retry <scan_id>`: back to the queue, with its attempts counted anew. */
export const retryDeadLetter = (session: Session, scanId: string, whose: TenantOption = {}): Promise<number> =>
  session.withApp(async ({ scans }) => {
    const scan = await scans.deadLetters.retry(scanId, askAs(session, whose));
    session.terminal.out(`Scan ${scan.scanId} is ${scan.state} again. Look at it with: scanmux status ${scan.scanId}`);
    return exitCode('ok');
  });

/** `scanmux dlq purge`: removes dead letters that ended more than so many days ago, with their files. */
export const purgeDeadLetters = (
  session: Session,
  { olderThan, ...whose }: { olderThan: number } & TenantOption,
): Promise<number> =>
  session.withApp(async ({ scans }) => {
    const removed = await scans.deadLetters.purge(Date.now() - olderThan * DAY_MS, askAs(session, whose));
    session.terminal.out(`${removed.length} dead letters removed.`);
    return exitCode('ok');
  });
