import { isAbsolute } from 'node:path';
import { z } from 'zod';
import type { Authority } from '../api/authority.ts';
import { Tenants } from '../../../model/caller.ts';
import { plainFingerprint, type Trust } from '../api/connection.ts';
import type { Account } from '../api/session.ts';

/** Printable ASCII without the separators of the header it goes into. */
const ApiKey = z.string().regex(/^[\x21-\x3a\x3c-\x7e]{1,256}$/, 'must be one key, without spaces');
const Name = z.string().min(1).max(200);

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i;

const ServerUrl = z
  .string()
  .refine((text) => URL.canParse(text), 'must be a URL like https://nessus.example:8834')
  .refine(
    isEncrypted,
    'must begin with https://; http:// is for this machine only, because keys would travel in the clear',
  )
  .refine(isPlain, 'must hold no user name, password, query or fragment');

function isEncrypted(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

function isPlain(text: string): boolean {
  const { username, password, search, hash } = new URL(text);
  return [username, password, search, hash].every((part) => part === '');
}

const seconds = (fallback: number, most: number) => z.int().min(1).max(most).default(fallback);

const FOLDER = 'must be the name of a folder, or { name: Folder, tenants: [name] }';

const shared = {
  access_key: ApiKey.optional().describe('API access key of the account that scans.'),
  secret_key: ApiKey.optional().describe('API secret key.'),
  ca_file: z
    .string()
    .refine(isAbsolute, 'must be an absolute path')
    .optional()
    .describe('PEM file with the authority that signed its certificate.'),
  tls_fingerprint: z
    .string()
    .refine((text) => /^[0-9a-f]{64}$/.test(plainFingerprint(text)), 'must be a SHA-256 fingerprint of 64 hex digits')
    .optional()
    .describe('SHA-256 of its certificate; no other certificate is accepted then.'),
  tls_verify: z
    .boolean()
    .default(true)
    .describe('false: any certificate is taken, so anybody in between reads the keys.'),
  folder: Name.optional().describe('Folder for new scans; default: My Scans.'),
  template: Name.optional().describe('Name of the scan template; default: basic for intensity light, else advanced.'),
  scanner_name: Name.optional().describe('Scanner that runs the scans, where there are several.'),
  remote_folders: z
    .array(z.union([Name, z.strictObject({ name: Name, tenants: Tenants })], { error: FOLDER }))
    .max(100)
    .default([])
    .describe(
      "Folders whose scans, launched by people, may be listed and imported. None by default. A name alone opens it to the tenant `local`; for others write `{ name: Acme, tenants: [acme] }`, `'*'` for all.",
    ),
  delete_after_days: z
    .int()
    .min(1)
    .max(3_650)
    .optional()
    .describe("Deletes scanmux's own finished scans there after so many days; default: never."),
  connect_seconds: seconds(10, 120).describe('Time limit for a connection.'),
  answer_seconds: seconds(60, 600).describe('Time limit for one answer, and for a silence within a download.'),
  export_minutes: seconds(60, 1_440).describe('Time limit for making and fetching a report.'),
  stop_minutes: seconds(15, 120).describe('How long a scan may take to stop.'),
  outage_minutes: seconds(240, 10_080).describe('How long a running scan is waited for while the scanner is away.'),
};

interface Written {
  readonly access_key?: string | undefined;
  readonly secret_key?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly ca_file?: string | undefined;
  readonly tls_fingerprint?: string | undefined;
  readonly tls_verify: boolean;
}

const hasKeys = ({ access_key, secret_key }: Written): boolean => access_key !== undefined && secret_key !== undefined;
const hasLogin = ({ username, password }: Written): boolean => username !== undefined && password !== undefined;
const hasPart = (...values: readonly unknown[]): boolean => values.some((value) => value !== undefined);

/** One way to log in, written whole. */
const isOneLogin = (written: Written): boolean =>
  hasKeys(written)
    ? !hasPart(written.username, written.password)
    : hasLogin(written) && !hasPart(written.access_key, written.secret_key);

const isTrustClear = ({ ca_file, tls_fingerprint, tls_verify }: Written): boolean =>
  tls_verify ? !(hasPart(ca_file) && hasPart(tls_fingerprint)) : !hasPart(ca_file, tls_fingerprint);

const TRUST = 'write one of ca_file, tls_fingerprint and tls_verify: false';

export const NessusSettings = z
  .strictObject({
    url: ServerUrl.describe('https://host:8834'),
    username: Name.optional().describe('Instead of keys: a user name.'),
    password: z.string().min(1).max(1_000).optional().describe('Password of username.'),
    ...shared,
  })
  .refine(isOneLogin, {
    message: 'write either access_key and secret_key, or username and password',
    path: ['access_key'],
  })
  .refine(isTrustClear, { message: TRUST, path: ['tls_verify'] });
export type NessusSettings = z.infer<typeof NessusSettings>;

/** Tenable Vulnerability Management: keys only, one address for everybody. */
export const TenableVmSettings = z
  .strictObject({
    url: ServerUrl.default('https://cloud.tenable.com').describe('Default https://cloud.tenable.com'),
    ...shared,
  })
  .refine(hasKeys, { message: 'write access_key and secret_key', path: ['access_key'] })
  .refine(isTrustClear, { message: TRUST, path: ['tls_verify'] });
export type TenableVmSettings = z.infer<typeof TenableVmSettings>;

/** @param ca of `ca_file` */
export function trustOf({ tls_fingerprint, tls_verify }: Written, ca: Authority | undefined): Trust {
  if (tls_fingerprint !== undefined) return { kind: 'pinned', fingerprint: plainFingerprint(tls_fingerprint) };
  if (!tls_verify) return { kind: 'none' };
  return { kind: 'authorities', ...(ca === undefined ? {} : { ca }) };
}

export function accountOf({ access_key, secret_key, username, password }: Written): Account {
  if (access_key !== undefined && secret_key !== undefined)
    return { kind: 'keys', accessKey: access_key, secretKey: secret_key };
  return { kind: 'session', username: username ?? '', password: password ?? '' };
}
