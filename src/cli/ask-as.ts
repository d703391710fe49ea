import { z } from 'zod';
import { Tenant } from '../model/caller.ts';
import type { Ask } from '../scans/deps.ts';
import { readInput } from './input.ts';
import type { Session } from './session.ts';

/** `--tenant`: whose things a command is about; `local` without it. */
export interface TenantOption {
  readonly tenant?: string;
}

export const TENANT_OPTION = ['--tenant <name>', 'of this tenant; default: local'] as const;

/**
 * Whoever runs a command is the operator of this machine, for the things of any tenant.
 * @throws AppError invalid_request for a name no tenant can have
 */
export function askAs(session: Pick<Session, 'ask'>, { tenant }: TenantOption): Ask {
  const ask = session.ask();
  const { tenant: named = ask.caller.tenant } = readInput(z.object({ tenant: Tenant.optional() }), { tenant });
  return { ...ask, caller: { ...ask.caller, tenant: named } };
}

/** For an empty answer: others may have what this tenant has not. */
export const ofTenant = ({ caller }: Ask): string =>
  `This is of the tenant ${caller.tenant}; --tenant <name> shows those of another.`;
