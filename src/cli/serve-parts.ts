import type { App } from '../app.ts';
import type { HttpSettings } from '../config/settings-http.ts';
import { createAuthenticator } from '../http/auth/authenticator.ts';
import { createChallenge, createResourceMetadataRouter } from '../http/auth/resource-metadata.ts';
import type { Authenticator } from '../http/deps.ts';
import type { HttpParts, ShellDeps } from '../http/http-app.ts';
import { createObserveParts } from '../http/observe/observe-parts.ts';
import { createDownloadRouter } from '../http/rest/download-router.ts';
import { createDownloads, type Downloads } from '../http/rest/downloads.ts';
import { createRestRouter } from '../http/rest/rest-router.ts';
import { systemClock, type Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { VERSION } from './version.ts';

export interface ServeParts {
  readonly authenticator: Authenticator;
  /** There is an API key that holds, or an OIDC issuer. */
  readonly knowsCallers: boolean;
  /** Routers besides `/mcp`. */
  readonly partsOf: (shell: ShellDeps & { readonly clock: Clock }) => Omit<HttpParts, 'mcp'>;
  readonly downloads: Downloads;
}

/** What the HTTP server of this installation is put together from. */
export async function openServeParts(app: App, http: HttpSettings, log: Log): Promise<ServeParts> {
  const { scans, queue, secrets, settings } = app;
  const resource = { oidc: settings.oidc, publicUrl: http.public_url };
  const downloads = createDownloads({ secrets, clock: systemClock });
  const { max_streams_per_tenant: perTenant, max_streams: inAll } = settings.events;
  return {
    authenticator: authenticatorOf(app, log),
    knowsCallers: settings.oidc.issuer !== '' || (await holdsAny(app)),
    downloads,
    partsOf(shell) {
      const { operations, registry: scanners, tracing, dataFolder } = app;
      const { metrics, operator_tenants: operatorTenants } = settings;
      const seen = { scanners, tracing, dataFolder, settings: metrics, operatorTenants };
      const observe = createObserveParts({ ...shell, ...seen, version: VERSION, queue, operations, scans });
      return {
        first: observe.first,
        queues: observe.queues,
        open: [...observe.open, createDownloadRouter({ scans, downloads }), createResourceMetadataRouter(resource)],
        challenge: createChallenge(resource),
        rest: createRestRouter(
          { ...shell, scans, queue },
          { streams: { perTenant, inAll }, maxBodyKb: http.max_body_kb },
        ),
      };
    },
  };
}

function authenticatorOf({ keys, settings, audit }: App, log: Log): Authenticator {
  const { oidc, limits } = settings;
  const append = (entry: Parameters<typeof audit.append>[0]): Promise<void> => audit.append(entry);
  return createAuthenticator({ keys, oidc, limits, audit: append, clock: systemClock, log });
}

async function holdsAny({ keys }: App): Promise<boolean> {
  const now = systemClock.now();
  const all = await keys.list();
  return all.some(({ revokedAt, expiresAt = Infinity }) => revokedAt === undefined && now < expiresAt);
}
