import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { CredentialRecord } from './state.ts';

/** The secrets of one scan in clear text. They exist in memory only. */
export type Secrets = readonly string[];

const Fields = z.record(z.string(), z.unknown());
const Add = z.record(z.string(), z.record(z.string(), z.array(Fields)));

/** `credentials` of a create or configure request. */
export const CredentialChange = z.object({
  add: Add.optional(),
  edit: z.record(z.string(), Fields).optional(),
  delete: z.array(z.coerce.number()).optional(),
});
export type CredentialChange = z.infer<typeof CredentialChange>;

/** Fields that say how to log in. Everything else may be secret, so it is only hashed. */
const PLAIN = new Set([
  'auth_method',
  'bin_directory',
  'custom_password_prompt',
  'domain',
  'elevate_privileges_with',
  'escalation_account',
  'private_key',
  'realm',
  'target_priority_list',
  'user_cert',
  'username',
]);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** Takes a request's credentials apart into what may be kept and what may not. */
export function addedCredentials(
  { add = {} }: CredentialChange,
  nextId: () => number,
): { records: CredentialRecord[]; secrets: string[] } {
  const records: CredentialRecord[] = [];
  const secrets: string[] = [];
  for (const [category, types] of Object.entries(add)) {
    for (const [type, entries] of Object.entries(types)) {
      for (const fields of entries) {
        const entry = recordOf(fields);
        records.push({ id: nextId(), category, type, plain: entry.plain, secrets: entry.hashes });
        secrets.push(...entry.secrets);
      }
    }
  }
  return { records, secrets };
}

function recordOf(fields: Readonly<Record<string, unknown>>): {
  plain: Record<string, string>;
  hashes: Record<string, string>;
  secrets: string[];
} {
  const plain: Record<string, string> = {};
  const hashes: Record<string, string> = {};
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    const text = textOf(value);
    if (PLAIN.has(name)) plain[name] = text;
    else if (text !== '') {
      hashes[name] = createHash('sha256').update(text).digest('hex');
      secrets.push(text);
    }
  }
  return { plain, hashes, secrets };
}

const CHOICES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  SSH: {
    auth_method: ['password', 'public key', 'certificate', 'Kerberos'],
    elevate_privileges_with: [
      'Nothing',
      'sudo',
      'su',
      'su+sudo',
      'dzdo',
      'pbrun',
      '.k5login',
      "Cisco 'enable'",
      "Checkpoint Gaia 'expert'",
    ],
  },
  Windows: { auth_method: ['Password', 'Kerberos', 'LM Hash', 'NTLM Hash'] },
};

/** Name of a field that Nessus would not take; undefined when all are right. */
export function wrongField(
  { type, plain }: CredentialRecord,
  isUploaded: (file: string) => boolean,
): string | undefined {
  const offered = CHOICES[type];
  if (!offered) return type;
  if ((plain['username'] ?? '') === '') return 'username';
  const chosen = Object.entries(offered).find(([field, values]) => {
    const value = plain[field];
    return value === undefined ? field === 'auth_method' : !values.includes(value);
  });
  const missing = ['private_key', 'user_cert'].find((field) => {
    const file = plain[field];
    return file !== undefined && !isUploaded(file);
  });
  return chosen?.[0] ?? missing;
}
