import { Router, type Request } from 'express';
import type { OidcSettings } from '../../config/settings-auth.ts';
import { Scope } from '../../model/caller.ts';

export interface ResourceOptions {
  readonly oidc: OidcSettings;
  /** How clients reach the server, without a slash at its end; empty: as the request says, whose `Host` was checked. */
  readonly publicUrl: string;
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
/** The MCP endpoint is a resource of its own: its document stands below the well-known path (RFC 9728, 3.1). */
const MCP_PATH = '/mcp';

const originOf = (request: Request, publicUrl: string): string =>
  publicUrl === '' ? `${request.protocol}://${request.get('host') ?? 'localhost'}` : publicUrl.replace(/\/$/, '');

/**
 * Tells clients which issuer to ask for a token. Source: RFC 9728; the authorization part of MCP 2025-11-25 rests on it.
 * Without an issuer there is nothing to tell, and no route.
 */
export function createResourceMetadataRouter({ oidc, publicUrl }: ResourceOptions): Router {
  const router = Router();
  if (oidc.issuer === '') return router;
  for (const path of ['', MCP_PATH]) {
    router.get(`${WELL_KNOWN}${path}`, (request, response) => {
      response.json({
        resource: `${originOf(request, publicUrl)}${path}`,
        authorization_servers: [oidc.issuer],
        scopes_supported: Scope.options.map((scope) => `${oidc.scope_prefix}${scope}`),
        bearer_methods_supported: ['header'],
        resource_name: 'scanmux',
      });
    });
  }
  return router;
}

/** `WWW-Authenticate` of a 401. */
export function createChallenge({ oidc, publicUrl }: ResourceOptions): (request: Request) => string {
  if (oidc.issuer === '') return () => 'Bearer realm="scanmux"';
  return (request) => {
    const path = request.path.startsWith(MCP_PATH) ? MCP_PATH : '';
    return `Bearer realm="scanmux", resource_metadata="${originOf(request, publicUrl)}${WELL_KNOWN}${path}"`;
  };
}
