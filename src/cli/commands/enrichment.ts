import { resolve } from 'node:path';
import { cleanLine } from '../../model/untrusted.ts';
import { exitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';

/** `scanmux data update --from <folder>`: new EPSS scores and KEV entries for the scans from now on. */
export const updateData = (
  session: Session,
  { from, allowOlder = false }: { from: string; allowOlder?: boolean },
): Promise<number> =>
  session.withApp(
    async ({ enrichment, audit }) => {
      const folder = resolve(from);
      const { caller, traceId } = session.ask();
      await audit.append({
        caller,
        action: 'data_update',
        decision: 'allowed',
        traceId,
        detail: { folder, allowOlder },
      });
      const { facts, epssFile, kevFile } = await enrichment.update(folder, { allowOlder });
      const { epss, kev } = facts;
      const { terminal } = session;
      const source = (file: string | undefined): string =>
        file === undefined ? 'as before: no file for it is there' : `from ${cleanLine(file, 200)}`;
      if (epss) terminal.out(`EPSS: ${epss.scores} scores of ${epss.date}, model ${epss.model} (${source(epssFile)}).`);
      if (kev) terminal.out(`KEV:  ${kev.vulnerabilities} vulnerabilities, ${kev.version} (${source(kevFile)}).`);
      terminal.note('Scans and imports from now on use it; findings of earlier ones stay as they were written.');
      return exitCode('ok');
    },
    { spawnWorker: false },
  );
