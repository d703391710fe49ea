import type { SecretSource } from '../config/credentials-schema.ts';
import type { Credential, Escalation } from '../model/credential.ts';
import { AppError } from '../model/errors.ts';
import { MIN_SECRET_CHARS } from '../model/secret-forms.ts';
import type { Privilege } from './credentials.ts';
import type { KnownCredential } from './read-credentials.ts';
import { readSecret, type SecretPlaces } from './secret-source.ts';

/** @throws AppError config_invalid, credential_unavailable; whatever `signal.reason` is */
export async function resolveSecrets(
  known: KnownCredential,
  privilege: Privilege,
  places: SecretPlaces,
): Promise<Credential> {
  const { entry } = known;
  const secret = reader(known.ref, places);
  switch (entry.kind) {
    case 'ssh_password':
      return {
        kind: entry.kind,
        username: entry.username,
        password: await secret('password', entry.password),
        ...(await escalationOf(entry.escalation, privilege, secret)),
      };
    case 'windows_password':
      return {
        kind: entry.kind,
        username: entry.username,
        password: await secret('password', entry.password),
        ...(entry.domain === undefined ? {} : { domain: entry.domain }),
      };
    case 'ssh_key':
      return {
        kind: entry.kind,
        username: entry.username,
        ...(await keyOf(entry, secret)),
        ...(await escalationOf(entry.escalation, privilege, secret)),
      };
    case 'ssh_certificate':
      return {
        kind: entry.kind,
        username: entry.username,
        certificate: asFile(await secret('certificate', entry.certificate)),
        ...(await keyOf(entry, secret)),
        ...(await escalationOf(entry.escalation, privilege, secret)),
      };
  }
}

type Read = (key: string, source: SecretSource) => Promise<string>;

const reader =
  (ref: string, places: SecretPlaces): Read =>
  async (key, source) => {
    const text = await readSecret(`${ref}.${key}`, source, places);
    if (text.length >= MIN_SECRET_CHARS) return text;
    throw new AppError('config_invalid', `${ref}.${key} is shorter than ${MIN_SECRET_CHARS} characters.`, {
      hint: 'Operator: choose a longer one; one this short could not be kept out of reports (docs/credentials.md).',
    });
  };

async function keyOf(
  entry: { readonly private_key: SecretSource; readonly passphrase?: SecretSource | undefined },
  secret: Read,
): Promise<{ privateKey: string; passphrase?: string }> {
  const privateKey = asFile(await secret('private_key', entry.private_key));
  if (entry.passphrase === undefined) return { privateKey };
  return { privateKey, passphrase: await secret('passphrase', entry.passphrase) };
}

/** OpenSSH reads a key only when its last line ends. */
const asFile = (text: string): string => `${text}\n`;

async function escalationOf(
  entry:
    | {
        readonly method: Escalation['method'];
        readonly account?: string | undefined;
        readonly password?: SecretSource | undefined;
      }
    | undefined,
  privilege: Privilege,
  secret: Read,
): Promise<{ escalation?: Escalation }> {
  if (entry === undefined || privilege === 'user') return {};
  const { method, account, password } = entry;
  return {
    escalation: {
      method,
      ...(account === undefined ? {} : { account }),
      ...(password === undefined ? {} : { password: await secret('escalation.password', password) }),
    },
  };
}
