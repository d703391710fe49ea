import { AppError } from '../../model/errors.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** What a Redis URL says. Kept apart from what is shown of it: it holds the password. */
export interface RedisUrl {
  readonly kind: 'server' | 'sentinel';
  readonly tls: boolean;
  readonly addresses: readonly RedisAddress[];
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  /** `redis+sentinel://host/<master name>/<db>`. */
  readonly masterName?: string;
}

const SCHEMES: ReadonlyMap<string, Pick<RedisUrl, 'kind' | 'tls'>> = new Map([
  ['redis', { kind: 'server', tls: false }],
  ['rediss', { kind: 'server', tls: true }],
  ['valkey', { kind: 'server', tls: false }],
  ['valkeys', { kind: 'server', tls: true }],
  ['redis+sentinel', { kind: 'sentinel', tls: false }],
  ['rediss+sentinel', { kind: 'sentinel', tls: true }],
]);

const FORM =
  'Write redis://user:password@host:6379/0, rediss://... for TLS, or redis+sentinel://user:password@host1:26379,host2:26379/mymaster/0; in user and password, percent-encode what is neither letter nor digit.';

/** No part of the URL is ever quoted: a password that was not encoded may have ended up in any of them. */
const refuse = (what: string): AppError =>
  new AppError('config_invalid', `The Redis URL cannot be used: ${what}.`, { hint: `Operator: ${FORM}` });

/** @throws AppError config_invalid, which quotes nothing of the URL */
export function parseRedisUrl(text: string): RedisUrl {
  const [, scheme = '', userInfo, hosts = '', path = ''] =
    /^([a-z+]+):\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^?#@]*))?$/i.exec(text) ?? [];
  const form = SCHEMES.get(scheme.toLowerCase());
  if (!form) throw refuse(/^[a-z+]+:\/\//i.test(text) ? 'its scheme or its form is not known' : 'it has no scheme');
  const isSentinel = form.kind === 'sentinel';
  const addresses = hosts.split(',').map((address) => addressOf(address, isSentinel ? 26_379 : 6_379));
  return { ...form, addresses, ...loginOf(userInfo), ...pathOf(path, isSentinel) };
}

/** @throws AppError config_invalid */
export function addressOf(text: string, defaultPort: number): RedisAddress {
  const [, v6, name, port] = /^(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const host = v6 ?? name;
  const number = port === undefined ? defaultPort : Number(port);
  if (host === undefined || number < 1 || number > 65_535) throw refuse('a host or port in it cannot be read');
  return { host, port: number };
}

function loginOf(userInfo: string | undefined): Pick<RedisUrl, 'username' | 'password'> {
  if (userInfo === undefined || userInfo === '') return {};
  const [user = '', ...rest] = userInfo.split(':');
  const [username, password] = [decoded(user), decoded(rest.join(':'))];
  return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('a % in user or password is not followed by two hex digits');
  }
}

function pathOf(path: string, isSentinel: boolean): Pick<RedisUrl, 'db' | 'masterName'> {
  const parts = path.split('/').filter((part) => part !== '');
  const masterName = isSentinel ? parts.shift() : undefined;
  const [db = '0', ...more] = parts;
  if (!/^\d{1,4}$/.test(db) || more.length > 0)
    throw refuse('the part after the host must be the number of a database');
  return { db: Number(db), ...(masterName === undefined ? {} : { masterName: decoded(masterName) }) };
}

/** What may be shown of a URL: no user, no password. */
export function shownUrl({ kind, tls, addresses, db, masterName }: RedisUrl): string {
  const scheme = `redis${tls ? 's' : ''}${kind === 'sentinel' ? '+sentinel' : ''}`;
  const hosts = addresses.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  return `${scheme}://${hosts}/${[...(masterName === undefined ? [] : [masterName]), db].join('/')}`;
}
