import type { OidcSettings } from '../../config/settings-auth.ts';
import { Scope, Tenant, type Caller } from '../../model/caller.ts';
import { AppError } from '../../model/errors.ts';
import { cleanLine } from '../../model/untrusted.ts';

type Claims = Readonly<Record<string, unknown>>;
type Settings = Pick<OidcSettings, 'tenant_claim' | 'default_tenant' | 'scope_claim' | 'scope_prefix'>;

/** Who a token speaks for. The token has been checked. @throws AppError unauthenticated */
export function callerOfClaims(claims: Claims, settings: Settings): Caller {
  const subject = claims['sub'];
  if (typeof subject !== 'string' || subject === '') throw refused('The token names nobody (`sub`).');
  const scopes = scopesOf(claimAt(claims, settings.scope_claim), settings.scope_prefix);
  return {
    tenant: tenantOf(claims, settings),
    name: `oidc:${cleanLine(subject, 100)}`,
    isOperator: scopes.has('admin'),
    scopes,
  };
}

function tenantOf(claims: Claims, settings: Settings): string {
  const claimed = claimAt(claims, settings.tenant_claim);
  if (claimed === undefined && settings.default_tenant !== '') return settings.default_tenant;
  const tenant = Tenant.safeParse(claimed);
  if (tenant.success) return tenant.data;
  throw refused(
    `The token ${claimed === undefined ? 'says no' : 'does not say in plain words which'} tenant (claim ${settings.tenant_claim}).`,
  );
}

/** Scopes of others in the same token mean nothing here. */
function scopesOf(claimed: unknown, prefix: string): ReadonlySet<Scope> {
  const words = typeof claimed === 'string' ? claimed.split(' ') : Array.isArray(claimed) ? claimed : [];
  return new Set(Scope.options.filter((scope) => words.includes(`${prefix}${scope}`)));
}

/** The claim of that name, which may be a URL; else the way the dots lead. */
function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name
    .split('.')
    .reduce<unknown>((inner, key) => (isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined), claims);
}

const isObject = (value: unknown): value is Claims => typeof value === 'object' && value !== null;

const refused = (message: string): AppError =>
  new AppError('unauthenticated', message, {
    hint: 'Operator: see oidc in scanmux.yaml, and what the issuer puts into its tokens. Do not retry with this token.',
  });
