import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openApp } from '../../app.ts';
import { openAuditLog } from '../../audit/audit-log.ts';
import { systemClock } from '../../platform/clock.ts';
import type { Folders, Session } from '../session.ts';
import { failed, type Finding } from './finding.ts';
import { auditFinding, examineCredentials, examineEngines, examinePolicy, examineScanners } from './parts.ts';

/** What needs no queue, looked at over an empty data folder that is thrown away. Never throws. */
export async function examineConfiguration(session: Session, folders: Folders): Promise<Finding[]> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'scanmux-doctor-'));
  const { log, env } = session;
  try {
    const app = await openApp({
      configFolder: folders.config,
      dataFolder,
      mode: 'stdio',
      log,
      env,
      spawnWorker: false,
      withoutRedis: true,
    });
    try {
      return [
        ...(await examineScanners(app)),
        ...(await examineEngines(app, session).catch((error: unknown) => [failed('engines', error)])),
        ...(await examinePolicy(app, session, folders)),
        ...(await examineCredentials(app)),
      ];
    } finally {
      await app.close();
    }
  } catch (error) {
    return [failed('configuration', error)];
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
}

/** The log by itself, without the queue to hold it against. Never throws. */
export async function examineAuditAlone(folder: string): Promise<Finding> {
  try {
    const audit = await openAuditLog({ folder, clock: systemClock });
    try {
      return auditFinding(await audit.verify());
    } finally {
      await audit.close();
    }
  } catch (error) {
    return failed('audit', error);
  }
}
