import { nameTag, plainName } from '../plain-name.ts';
import type { Observation } from './observation.ts';
import type { HttpAnswer } from './web-client.ts';

export interface PageContext {
  readonly scheme: 'http' | 'https';
  readonly isAddress: boolean;
}

const value = ({ headers }: HttpAnswer, name: string): string => (headers.get(name) ?? []).join(', ');

const isRedirect = ({ status }: HttpAnswer): boolean => status >= 300 && status < 400;

export const isPage = (answer: HttpAnswer): boolean =>
  !isRedirect(answer) &&
  (/\b(html|xhtml)\b/i.test(value(answer, 'content-type')) || /^\s*<(!doctype html|html)/i.test(answer.body));

/** True for a redirect that leads to HTTPS. */
export const leadsToHttps = (answer: HttpAnswer): boolean =>
  isRedirect(answer) && /^https:\/\//i.test(value(answer, 'location').trim());

/** Everything the headers of one answer say or leave out. */
export function judgeHeaders(answer: HttpAnswer, context: PageContext): Observation[] {
  return [
    ...judgeHsts(answer, context),
    ...(isPage(answer) ? judgePage(answer) : []),
    ...judgeSniffing(answer),
    ...judgeCookies(answer, context.scheme),
    ...judgeBanners(answer),
  ];
}

function judgeHsts(answer: HttpAnswer, { scheme, isAddress }: PageContext): Observation[] {
  if (scheme === 'http' || isAddress) return []; // RFC 6797, 8.1: ignored there.
  const header = value(answer, 'strict-transport-security');
  const maxAge = Number(/max-age\s*=\s*"?(\d+)/i.exec(header)?.[1] ?? 0);
  return maxAge > 0 ? [] : [{ rule: 'http-no-hsts', untrusted: { output: header || 'no such header' } }];
}

function judgePage(answer: HttpAnswer): Observation[] {
  const found: Observation[] = [];
  const policy = value(answer, 'content-security-policy');
  if (policy.trim() === '') found.push({ rule: 'http-no-csp' });
  const framed = value(answer, 'x-frame-options');
  if (!/\bframe-ancestors\b/i.test(policy) && !/\b(deny|sameorigin)\b/i.test(framed))
    found.push({ rule: 'http-framing-allowed', ...(framed ? { untrusted: { output: framed } } : {}) });
  const referrer = value(answer, 'referrer-policy');
  if (referrer.trim() === '' || /\bunsafe-url\b/i.test(referrer))
    found.push({ rule: 'http-no-referrer-policy', ...(referrer ? { untrusted: { output: referrer } } : {}) });
  return found;
}

const judgeSniffing = (answer: HttpAnswer): Observation[] =>
  isRedirect(answer) || answer.body === '' || /\bnosniff\b/i.test(value(answer, 'x-content-type-options'))
    ? []
    : [{ rule: 'http-sniffing-allowed' }];

/** At most this many cookies are judged: a hostile server may send thousands. */
const MAX_COOKIES = 20;

/** Only names are kept: values are what an attacker wants. */
function judgeCookies({ headers }: HttpAnswer, scheme: 'http' | 'https'): Observation[] {
  const cookies = (headers.get('set-cookie') ?? []).slice(0, MAX_COOKIES);
  return cookies.flatMap((cookie) => {
    const [pair = '', ...attributes] = cookie.split(';');
    const name = (pair.includes('=') ? pair.slice(0, pair.indexOf('=')) : '').trim().slice(0, 200);
    if (name === '' || isRemoval(cookie)) return [];
    const has = (attribute: RegExp): boolean => attributes.some((text) => attribute.test(text));
    const at = cookieNamed(name);
    const found: Observation[] = [];
    if (scheme === 'https' && !has(/^\s*secure\s*$/i)) found.push({ rule: 'http-cookie-not-secure', ...at });
    if (!has(/^\s*httponly\s*$/i)) found.push({ rule: 'http-cookie-not-httponly', ...at });
    if (!has(/^\s*samesite\s*=/i)) found.push({ rule: 'http-cookie-no-samesite', ...at });
    return found;
  });
}

/** A cookie may have any name, also one that is prose: only a plain one stands outside `untrusted`. */
const cookieNamed = (name: string): Pick<Observation, 'parameter' | 'discriminator' | 'untrusted'> =>
  plainName(name) === undefined
    ? {
        parameter: '(unusual name)',
        discriminator: `cookie with the unusual name ${nameTag(name)}`,
        untrusted: { output: `cookie ${name}` },
      }
    : { parameter: name, discriminator: `cookie ${name}` };

/** Setting a cookie that is already over is how one is deleted. */
const isRemoval = (cookie: string): boolean =>
  /;\s*max-age\s*=\s*(0|-\d+)\s*(;|$)/i.test(cookie) || /;\s*expires\s*=[^;]*\b1970\b/i.test(cookie);

const BANNERS = ['server', 'x-powered-by', 'x-aspnet-version', 'x-aspnetmvc-version', 'x-generator'];

const judgeBanners = (answer: HttpAnswer): Observation[] =>
  BANNERS.flatMap((header) => {
    const banner = value(answer, header);
    if (!/\d+\.\d+/.test(banner)) return [];
    return [
      { rule: 'http-version-banner', parameter: header, discriminator: `header ${header}`, untrusted: { banner } },
    ];
  });

/** The title of a page, as it wrote it. */
export const titleOf = ({ body }: HttpAnswer): string | undefined =>
  /<title[^>]{0,200}>([^<]{1,500})/i.exec(body)?.[1]?.trim() || undefined;
