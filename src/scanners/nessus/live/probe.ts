import type { ScannerHealth } from '../../../model/capability.ts';
import { AppError, ERROR_CATALOG } from '../../../model/errors.ts';
import { cleanLine } from '../../../model/untrusted.ts';
import { allowsControl, type Properties } from '../api/answers.ts';
import { EDITION_HINT } from '../api/faults.ts';
import type { NessusApi } from '../api/nessus-api.ts';
import { ownAccount } from './own-account.ts';

/** Accounts below this may look at scans and start none (Nessus: 16 basic, 32 standard). */
const MAY_SCAN = 24;

/** Is it up, which edition, does it let us in, may it start scans? Never tried twice: probes come often. */
export async function probeNessus(api: NessusApi, signal: AbortSignal): Promise<ScannerHealth> {
  try {
    const starting = await notReady(api, signal);
    if (starting !== undefined) return unhealthy(starting);
    // First: whoever is not logged in is shown properties without the licence, and an ended session is no error there.
    const account = await ownAccount(api, signal);
    const properties = await api.properties(signal);
    return healthOf(properties, account?.permissions);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) return unhealthy(reasonOf(error));
    throw error;
  }
}

/** Tenable Vulnerability Management is always up and always allows control of scans: only the keys can be wrong. */
export async function probeTenable(api: NessusApi, signal: AbortSignal): Promise<ScannerHealth> {
  try {
    const account = await ownAccount(api, signal);
    return healthOf({ nessus_type: 'Tenable Vulnerability Management' }, account?.permissions);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof AppError) return unhealthy(reasonOf(error));
    throw error;
  }
}

/** With its hint only where that says more than the code does. */
const reasonOf = ({ code, message, hint }: AppError): string =>
  hint === ERROR_CATALOG[code].hint ? message : `${message} ${hint}`;

const unhealthy = (why: string): ScannerHealth => ({ status: 'unhealthy', canLaunch: false, why });

async function notReady(api: NessusApi, signal: AbortSignal): Promise<string | undefined> {
  const found = await api.status(signal);
  if (!found || found.status === '' || found.status === 'ready') return undefined;
  const { status, progress } = found;
  if (status === 'register') return 'Nessus is not registered yet: finish its setup in the browser.';
  const share =
    typeof progress === 'number' || typeof progress === 'string' ? ` (${cleanLine(String(progress), 10)} %)` : '';
  return `Nessus is not ready: ${cleanLine(status, 40)}${share}.`;
}

/** In the scanner's own words, cleaned; empty where it does not say. */
function factsOf(properties: Properties | undefined): Pick<ScannerHealth, 'version' | 'edition'> {
  const version = cleanLine(properties?.server_version ?? properties?.nessus_ui_version ?? '', 40);
  const edition = cleanLine(properties?.license?.name ?? properties?.nessus_type ?? '', 60);
  return { ...(version === '' ? {} : { version }), ...(edition === '' ? {} : { edition }) };
}

function healthOf(properties: Properties | undefined, permissions = Infinity): ScannerHealth {
  const facts = factsOf(properties);
  if (!allowsControl(properties)) {
    const edition = facts.edition ?? 'This edition of Nessus';
    const why = `${edition} does not allow starting scans through its API. ${EDITION_HINT}`;
    return { ...facts, status: 'healthy', canLaunch: false, why, refusal: 'scanner_edition_forbids_api' };
  }
  if (permissions < MAY_SCAN) {
    return { ...facts, status: 'degraded', canLaunch: false, why: 'The account in scanners.yaml may not start scans.' };
  }
  return { ...facts, status: 'healthy', canLaunch: true };
}
