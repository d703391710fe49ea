import { z } from 'zod';
import { LOCAL_TENANT, Tenant, Tenants } from '../model/caller.ts';

/** Signatures made with a private key. With a shared secret, or none, anybody who can check a token could make one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const;

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])$/;

/** Keys that come over plain HTTP can be replaced on the way; loopback has no way. */
const isSafeUrl = (text: string): boolean => {
  if (text === '') return true;
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, hash } = new URL(text);
  if (username !== '' || hash !== '') return false;
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
};

const SafeUrl = z.string().max(500).refine(isSafeUrl, 'must be an https URL (http only on loopback)');
const Claim = z.string().min(1).max(200);

/** Tokens (JWT) of an OpenID Connect issuer. */
export const OidcSettings = z
  .strictObject({
    issuer: SafeUrl.default('').describe(
      'Issuer whose tokens (JWT) are taken, exactly as it stands in their `iss`. Empty: none; only API keys are.',
    ),
    audience: z
      .array(z.string().min(1).max(500))
      .max(20)
      .default([])
      .describe('What `aud` of a token must hold: one of these. Needed with `issuer`.'),
    jwks_uri: SafeUrl.default('').describe('Where its keys are; empty: its discovery document says so.'),
    algorithms: z
      .array(z.enum(ALGORITHMS))
      .min(1)
      .max(ALGORITHMS.length)
      .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
      .describe(`Signatures that are taken, of ${ALGORITHMS.join(', ')}.`),
    clock_skew_seconds: z.int().min(0).max(300).default(30).describe('How far its clock may differ from ours.'),
    tenant_claim: Claim.default('tenant').describe(
      'Claim that says whose scans a caller sees. Dots lead into objects: `org.id`.',
    ),
    default_tenant: z
      .string()
      .max(63)
      .refine((text) => text === '' || Tenant.safeParse(text).success, 'must be the name of a tenant')
      .default('')
      .describe('Tenant of tokens without that claim. Empty: they are refused.'),
    scope_claim: Claim.default('scope').describe('Claim that holds scopes, as a list or a text with spaces.'),
    scope_prefix: z
      .string()
      .max(200)
      .default('')
      .describe('What stands before our scopes in that claim, e.g. `scanmux:`. Others are ignored.'),
  })
  .refine(({ issuer, audience }) => issuer === '' || audience.length > 0, {
    path: ['audience'],
    message: 'is needed with oidc.issuer: without it, a token for any other service would open this one',
  });
export type OidcSettings = z.infer<typeof OidcSettings>;

export const OperatorTenants = Tenants.default([LOCAL_TENANT]).describe(
  'Tenants that run the service: their `admin` keys and tokens see the scans of every tenant at `/queues`, and end and retry them there; read `/metrics`; and see the machines of workers. An `admin` of another tenant is one for its own scans alone. `*` is all.',
);

/** What one caller or one tenant may use up. 0 is no limit. */
export const LimitSettings = z.strictObject({
  requests_per_minute: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(6_000)
    .describe('Requests of one key or token over HTTP, counted by each server for itself. 0: no limit.'),
  failed_logins_per_minute: z
    .int()
    .min(1)
    .max(100_000)
    .default(30)
    .describe('Wrong keys and tokens from one address before it must wait, counted by each server for itself.'),
  active_scans: z
    .int()
    .min(0)
    .max(10_000_000)
    .default(1_000)
    .describe('Scans of one tenant that are queued, running or waiting for a retry. 0: no limit.'),
  hosts_per_day: z
    .int()
    .min(0)
    .max(1_000_000_000_000)
    .default(0)
    .describe('Addresses one tenant may have scanned in one day (UTC), counted for all servers together. 0: no limit.'),
});
export type LimitSettings = z.infer<typeof LimitSettings>;
