import { AppError } from '../../../model/errors.ts';
import type { NessusApi } from '../api/nessus-api.ts';

export type OwnAccount = NonNullable<Awaited<ReturnType<NessusApi['session']>>>;

/**
 * Whose login this is; undefined where only sessions can be asked about, or nobody can.
 * @throws AppError scanner_login_failed when other calls do not let it in either; those of the client
 */
export async function ownAccount(api: NessusApi, signal: AbortSignal): Promise<OwnAccount | undefined> {
  try {
    const account = await api.session(signal);
    if (account) return account;
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'scanner_login_failed') throw error;
  }
  await api.folders(signal);
  return undefined;
}
