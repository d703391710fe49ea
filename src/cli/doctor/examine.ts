import type { App } from '../../app.ts';
import { AppError } from '../../model/errors.ts';
import type { Folders, Session } from '../session.ts';
import { examineArtefacts } from './artefacts.ts';
import { examineConfigFolder, examineDataFolder, examineNode, examineSettings } from './folders.ts';
import { failed, type Finding } from './finding.ts';
import { examineHttp } from './http.ts';
import { examineRetention } from './retention.ts';
import { examineAuditAlone, examineConfiguration } from './without-queue.ts';
import { missingLog } from '../audit-check.ts';
import { examineRedis } from './redis.ts';
import {
  auditFinding,
  examineAudit,
  examineCredentials,
  examineEngines,
  examineEnrichment,
  examinePolicy,
  examineQueue,
  examineScanners,
  examineWorker,
} from './parts.ts';

/** Looks at everything, in the order things build on each other; what cannot be looked at is said. Never throws. */
export async function examine(session: Session): Promise<readonly Finding[]> {
  let folders: Folders;
  try {
    folders = session.folders();
  } catch (error) {
    return [examineNode(), failed('folders', error)];
  }
  const { settings, finding } = examineSettings(folders.config, session.env);
  const first = [
    examineNode(),
    ...examineConfigFolder(folders.config, session.initCommand()),
    finding,
    ...examineDataFolder(folders.data, settings?.storage_reserve_mb ?? 0),
  ];
  if (first.some(({ level }) => level === 'fail')) {
    return [...first, skipped('queue, scanners, policy, worker and audit log')];
  }
  // Before the application is opened, which makes the files that are not there.
  const missing = missingLog(folders.data);
  const parts = missing ? PARTS.filter(([subject]) => subject !== 'audit') : PARTS;
  if (missing) first.push(auditFinding(missing));
  try {
    return [
      ...first,
      ...(await session.withApp((app) => examineApp(app, session, folders, parts), { spawnWorker: false })),
    ];
  } catch (error) {
    return [...first, ...(await examineRest(session, folders, { error, isLogThere: !missing }))];
  }
}

/** One database cannot be opened, and so the application cannot: what does without it is looked at all the same. */
async function examineRest(
  session: Session,
  folders: Folders,
  { error, isLogThere }: { error: unknown; isLogThere: boolean },
): Promise<Finding[]> {
  const isAudit = error instanceof AppError && error.message.includes('audit.db');
  return [
    failed(isAudit ? 'audit' : 'queue', error),
    ...(await examineConfiguration(session, folders)),
    ...(isAudit || !isLogThere ? [] : [await examineAuditAlone(folders.data)]),
    skipped(isAudit ? 'queue and worker' : 'worker'),
  ];
}

const skipped = (what: string): Finding => ({
  level: 'warn',
  subject: 'skipped',
  said: `${what} could not be looked at.`,
  fix: 'correct what failed above and run it again.',
});

type Part = (app: App, session: Session, folders: Folders) => Promise<readonly Finding[]>;

const PARTS: readonly (readonly [string, Part])[] = [
  ['redis', async (app) => examineRedis(app)],
  ['queue', examineQueue],
  ['scanners', examineScanners],
  ['engines', examineEngines],
  ['policy', examinePolicy],
  ['logins', examineCredentials],
  ['scores', examineEnrichment],
  ['artefacts', examineArtefacts],
  ['worker', examineWorker],
  ['http', examineHttp],
  ['retention', examineRetention],
  ['audit', examineAudit],
];

/** One broken part must not hide the others. */
async function examineApp(
  app: App,
  session: Session,
  folders: Folders,
  parts: typeof PARTS,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const [subject, part] of parts) {
    try {
      findings.push(...(await part(app, session, folders)));
    } catch (error) {
      findings.push(failed(subject, error));
    }
  }
  return findings;
}
