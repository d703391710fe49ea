import type { App } from '../app.ts';
import type { HttpSettings } from '../config/settings-http.ts';
import type { Authenticator } from '../http/deps.ts';
import type { HttpParts, ShellDeps } from '../http/http-app.ts';
import { createDownloadRouter } from '../http/rest/download-router.ts';
import { createDownloads, type Downloads } from '../http/rest/downloads.ts';
import { createRestRouter } from '../http/rest/rest-router.ts';
import { AppError } from '../model/errors.ts';
import { systemClock, type Clock } from '../platform/clock.ts';

export interface ServeParts {
  readonly authenticator: Authenticator;
  /** There is an API key that holds, or an OIDC issuer. */
  readonly knowsCallers: boolean;
  /** Routers besides `/mcp`. */
  readonly partsOf: (shell: ShellDeps & { readonly clock: Clock }) => Omit<HttpParts, 'mcp'>;
  readonly downloads: Downloads;
}

/** What the HTTP server of this installation is put together from. */
export function openServeParts({ scans, queue, secrets }: App, _settings: HttpSettings): Promise<ServeParts> {
  const authenticator: Authenticator = {
    authenticate: () => Promise.reject(new AppError('unauthenticated', 'Nobody has a key for this server yet.')),
  };
  const downloads = createDownloads({ secrets, clock: systemClock });
  const partsOf: ServeParts['partsOf'] = (shell) => ({
    open: [createDownloadRouter({ scans, downloads })],
    rest: createRestRouter({ ...shell, scans, queue }),
  });
  return Promise.resolve({ authenticator, knowsCallers: false, partsOf, downloads });
}
