import type { App } from '../../app.ts';
import { askIssuer } from '../../http/auth/issuer-keys.ts';
import { AppError } from '../../model/errors.ts';
import { systemClock } from '../../platform/clock.ts';
import { ok, warn, type Finding } from './finding.ts';

interface Parts {
  readonly settings: Pick<App['settings'], 'http' | 'oidc'>;
  readonly keys: Pick<App['keys'], 'list'>;
}

/** What `scanmux serve` would listen on, and who it would let in. @throws AppError queue_unavailable */
export async function examineHttp({ settings: { http, oidc }, keys }: Parts): Promise<Finding[]> {
  const now = systemClock.now();
  const holding = (await keys.list()).filter(
    ({ revokedAt, expiresAt }) => revokedAt === undefined && (expiresAt === undefined || expiresAt > now),
  ).length;
  const told = [
    `scanmux serve listens on ${http.host.includes(':') ? `[${http.host}]` : http.host}:${http.port}`,
    http.public_url === '' ? 'no public_url' : `reached at ${http.public_url}`,
    `${holding} API ${holding === 1 ? 'key holds' : 'keys hold'}`,
    oidc.issuer === '' ? 'no OIDC issuer' : `tokens of ${oidc.issuer}`,
  ].join('; ');
  if (oidc.issuer === '') return [ok('http', told)];
  try {
    await askIssuer(oidc, systemClock);
    return [ok('http', `${told}, which answers`)];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [
      warn(
        'http',
        `${told}, which gives no keys: ${error.message}`,
        'see that oidc.issuer is right and reached from here.',
      ),
    ];
  }
}
