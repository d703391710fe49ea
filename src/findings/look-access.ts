import type { Place } from '../model/coverage.ts';

/** How far a look could see into a host. */
export interface Access {
  /** 0 no login, 1 as a user, 2 with elevated rights. */
  readonly rights: number;
  /** A report says that a login worked. */
  readonly login: boolean;
}

/** What was asked of a scan. */
interface AskedAccess {
  readonly access: 'untrusted' | 'authenticated';
  readonly privilege?: 'user' | 'elevated';
}

type Login = Pick<Place, 'login'>;

export const NO_ACCESS: Access = { rights: 0, login: false };

const askedRights = ({ access, privilege }: AskedAccess): number =>
  access === 'untrusted' ? 0 : privilege === 'elevated' ? 2 : 1;

/** What a look is sure to have had. A login that worked in part may have failed at the very part that matters. */
export function accessShown(asked: AskedAccess, { login }: Login): Access {
  if (login === 'failed' || login === 'partial') return NO_ACCESS;
  if (login === 'success') return { rights: Math.max(askedRights(asked), 1), login: true };
  return { rights: askedRights(asked), login: false };
}

/** What a look may have needed to see what it saw. */
export function accessNeeded(asked: AskedAccess, { login }: Login): Access {
  if (login === 'failed') return NO_ACCESS;
  if (login === undefined) return { rights: askedRights(asked), login: false };
  return { rights: Math.max(askedRights(asked), 1), login: true };
}

/** Whether who had the one access could see what the other needed. */
export const isEnough = (shown: Access, needed: Access): boolean =>
  shown.rights >= needed.rights && (shown.login || !needed.login);

/** Without those that need more than another one. */
export function leastOf(needs: readonly Access[]): readonly Access[] {
  const least: Access[] = [];
  for (const one of needs) {
    if (least.some((other) => isEnough(one, other))) continue;
    least.splice(0, least.length, ...least.filter((other) => !isEnough(other, one)), one);
  }
  return least;
}
