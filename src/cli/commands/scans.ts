import { ListScansInput } from '../../model/contract/lists.ts';
import { CancelInput, ScanIdInput } from '../../model/contract/status.ts';
import { cleanLine } from '../../model/untrusted.ts';
import { askAs, ofTenant, type TenantOption } from '../ask-as.ts';
import { exitCode, exitOfScan } from '../exit-codes.ts';
import { readInput } from '../input.ts';
import { countsText, statusText } from '../render/scan-report.ts';
import { renderTable } from '../render/table.ts';
import type { Session } from '../session.ts';

/** `scanmux status <scan_id>`. */
export const status = (
  session: Session,
  scanId: string,
  { json, ...whose }: { json?: boolean } & TenantOption,
): Promise<number> =>
  session.withApp(async (app) => {
    const found = await app.scans.status(readInput(ScanIdInput, { scan_id: scanId }), askAs(session, whose));
    session.terminal.out(json === true ? JSON.stringify(found, undefined, 2) : statusText(found, session.terminal));
    return exitCode(exitOfScan(found));
  });

const CANCELLED = {
  removed: 'was waiting and will not start.',
  signalled: 'was told to stop; what it found so far is kept. It stays running until its engine has stopped.',
  already_final: 'had already ended; nothing was changed.',
} as const;

/** `scanmux cancel <scan_id>`. */
export const cancel = (
  session: Session,
  scanId: string,
  { reason, json, ...whose }: { reason?: string; json?: boolean } & TenantOption,
): Promise<number> =>
  session.withApp(async (app) => {
    const done = await app.scans.cancel(readInput(CancelInput, { scan_id: scanId, reason }), askAs(session, whose));
    const said = `Scan ${done.scan_id} ${CANCELLED[done.effect]}`;
    session.terminal.out(json === true ? JSON.stringify(done, undefined, 2) : said);
    return exitCode('ok');
  });

export interface ListOptions extends TenantOption {
  readonly state?: string;
  readonly target?: string;
  readonly pool?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

/** `scanmux list`: scans, newest first. */
export const list = (session: Session, { pool, json, tenant, ...options }: ListOptions): Promise<number> =>
  session.withApp(async (app) => {
    const input = readInput(ListScansInput, { ...options, scanner_pool: pool });
    const ask = askAs(session, tenant === undefined ? {} : { tenant });
    const page = await app.scans.listScans(input, ask);
    const { terminal } = session;
    if (json === true) {
      terminal.out(JSON.stringify(page, undefined, 2));
      return exitCode('ok');
    }
    if (page.scans.length === 0) {
      terminal.out('No scans.');
      terminal.note(ofTenant(ask));
      return exitCode('ok');
    }
    const titles = ['SCAN', 'STATE', 'VERDICT', 'FINDINGS', 'TARGETS', 'CREATED'].map((title) => ({
      title,
      least: title === 'SCAN' ? 25 : 8,
    }));
    const rows = page.scans.map((scan) => [
      scan.scan_id,
      scan.state,
      scan.verdict ?? '',
      scan.by_severity ? countsText(scan.by_severity) : '',
      cleanLine(scan.targets.join(' '), 200),
      scan.created_at,
    ]);
    terminal.out(
      renderTable(titles, rows, { columns: terminal.columns, head: (line) => terminal.paint(line, 'bold') }),
    );
    const more = page.next_cursor === undefined ? '' : `; next page: --cursor ${page.next_cursor}`;
    terminal.note(`${page.scans.length} of ${page.total}${more}`);
    return exitCode('ok');
  });
