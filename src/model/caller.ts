import { z } from 'zod';
import { AppError } from './errors.ts';

/** Whose things they are. `local` is whoever uses this machine. */
export const Tenant = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/,
    'must be 1 to 63 of letters, digits, ., _, @ and -, and begin with a letter or digit',
  );

/** In a list of tenants: all of them. */
export const EVERY_TENANT = '*';

/** For whom an entry of a configuration file is: tenants, or `*` for all. */
export const Tenants = z
  .array(z.union([z.literal(EVERY_TENANT), Tenant]))
  .min(1, 'must name a tenant, or leave it out')
  .max(1_000);

/** Without a list an entry is for this machine's own tenant alone. */
export const isFor = (tenants: readonly string[] | undefined, tenant: string): boolean =>
  tenants === undefined ? tenant === LOCAL_TENANT : tenants.includes(tenant) || tenants.includes(EVERY_TENANT);

/** What a caller may do. `admin` is everything, for its own tenant; see also `operatesService`. */
export const Scope = z.enum(['scan:read', 'scan:run', 'scan:intrusive', 'finding:suppress', 'credential:use', 'admin']);
export type Scope = z.infer<typeof Scope>;

/** Everything but what only an operator may do. */
export const AGENT_SCOPES: ReadonlySet<Scope> = new Set(Scope.options.filter((scope) => scope !== 'admin'));
export const ALL_SCOPES: ReadonlySet<Scope> = new Set(Scope.options);

/**
 * Who asks. Over stdio and on the command line everything belongs to the person who started the process; but over stdio
 * a model decides what is asked, so only the command line is the operator. Over HTTP a key or a token says who it is.
 */
export interface Caller {
  /** Everything a caller creates belongs to its tenant; other tenants' things do not exist for it. */
  readonly tenant: string;
  /** For the audit log: `stdio:<client name>`, `cli`, `key:<prefix>`, `oidc:<subject>`. */
  readonly name: string;
  /** Holds `admin`. */
  readonly isOperator: boolean;
  readonly scopes: ReadonlySet<Scope>;
}

export const LOCAL_TENANT = 'local';

/** @throws AppError forbidden, naming the scope that is missing */
export function requireScope(caller: Caller, scope: Scope): void {
  if (caller.isOperator || caller.scopes.has(scope)) return;
  throw new AppError('forbidden', `This needs the scope ${scope}, which ${caller.name} does not have.`, {
    hint: `Ask an operator for a key or token with ${scope}. Do not retry.`,
  });
}

/** Whether a caller runs the service and not only its own tenant: an `admin` of one of these tenants. */
export const operatesService = ({ isOperator, tenant }: Caller, operatorTenants: readonly string[]): boolean =>
  isOperator && isFor(operatorTenants, tenant);

/** For what is about all tenants. @throws AppError forbidden */
export function requireServiceOperator(caller: Caller, operatorTenants: readonly string[]): void {
  requireScope(caller, 'admin');
  if (isFor(operatorTenants, caller.tenant)) return;
  throw new AppError('forbidden', `This shows all tenants, and ${caller.name} is an admin of ${caller.tenant} alone.`, {
    hint: `Use a key of a tenant that runs the service; or operator: add ${caller.tenant} to operator_tenants in scanmux.yaml. Do not retry.`,
  });
}
