import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { LOCAL_TENANT, Tenants } from '../model/caller.ts';
import { CredentialKind, EscalationMethod } from '../model/credential.ts';
import { PoolName } from './scanners-schema.ts';

export const CREDENTIALS_FILE = 'credentials.yaml';

export const CredentialRef = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9, ., _ and -, and begin with a letter or digit');

const NOT_HERE = 'a secret may not stand in this file; write {env: NAME}, {file: /path} or {command: [program, ...]}';

const Variable = z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable');

/** Where a secret is: `{env: NAME}`, `{file: /path}`, or `{command: [argv...], timeout_seconds, pass_env}`. */
export const SecretSource = z
  .strictObject(
    {
      env: Variable.optional(),
      file: z.string().max(4_096).refine(isAbsolute, 'must be an absolute path (~ is not expanded)').optional(),
      command: z.array(z.string().max(4_096)).min(1).max(64).optional(),
      timeout_seconds: z.int().min(1).max(300).optional(),
      pass_env: z.array(Variable).max(50).optional(),
    },
    { error: (issue) => (issue.code === 'invalid_type' && issue.input !== undefined ? NOT_HERE : undefined) },
  )
  .refine(
    ({ env, file, command }) => [env, file, command].filter((place) => place !== undefined).length === 1,
    'must hold exactly one of env, file and command',
  )
  .refine(
    ({ command, timeout_seconds: seconds, pass_env: names }) =>
      command !== undefined || (seconds === undefined && names === undefined),
    'timeout_seconds and pass_env belong to command',
  );
export type SecretSource = z.infer<typeof SecretSource>;

const Escalation = z.strictObject({
  method: EscalationMethod,
  account: z.string().min(1).max(256).optional(),
  password: SecretSource.optional(),
});

const commonKeys = {
  kind: CredentialKind.describe('How it logs in.'),
  username: z.string().min(1).max(256).describe('The account that logs in.'),
  description: z.string().max(300).default('').describe('For people and agents: what it is for.'),
  pools: z.array(PoolName).max(1_000).default([]).describe('Scanner pools that may get it. None: no pool.'),
  targets: z
    .array(z.string())
    .max(10_000)
    .default([])
    .describe('Addresses, CIDRs and ranges it may be sent to, written as in policy.yaml. None: nowhere.'),
  trust_dns: z
    .boolean()
    .default(false)
    .describe('Lets targets hold host names and *.suffixes: whoever answers for such a name then gets the login.'),
  tenants: Tenants.default([LOCAL_TENANT]).describe("Whose scans may use it; `local` is this machine, '*' everybody."),
};

const escalation = Escalation.optional().describe(
  'How it becomes an administrator: method, account, password. Used for privilege: elevated only.',
);
const passphrase = SecretSource.optional().describe('Of the private key.');
const privateKey = SecretSource.describe('PEM or OpenSSH text.');
const password = SecretSource.describe('Where the password is.');

/** The keys every credential has, whatever its kind. */
export const CommonCredentialKeys = z.strictObject(commonKeys);

/** One entry of credentials.yaml, by kind. */
export const CREDENTIAL_KEYS = {
  ssh_password: z.strictObject({ ...commonKeys, kind: z.literal('ssh_password'), password, escalation }),
  ssh_key: z.strictObject({
    ...commonKeys,
    kind: z.literal('ssh_key'),
    private_key: privateKey,
    passphrase,
    escalation,
  }),
  ssh_certificate: z.strictObject({
    ...commonKeys,
    kind: z.literal('ssh_certificate'),
    private_key: privateKey,
    certificate: SecretSource.describe('The certificate of the key, as OpenSSH writes it (-cert.pub).'),
    passphrase,
    escalation,
  }),
  windows_password: z.strictObject({
    ...commonKeys,
    kind: z.literal('windows_password'),
    password,
    domain: z.string().min(1).max(256).optional().describe('Windows domain of the account.'),
  }),
} as const satisfies Readonly<Record<CredentialKind, z.ZodType>>;

export type CredentialEntry = { [Kind in CredentialKind]: z.infer<(typeof CREDENTIAL_KEYS)[Kind]> }[CredentialKind];

/** The places of all secrets of an entry, by key. */
export function secretSourcesOf(entry: CredentialEntry): readonly (readonly [key: string, source: SecretSource])[] {
  const all: [string, SecretSource | undefined][] = [
    ['password', 'password' in entry ? entry.password : undefined],
    ['private_key', 'private_key' in entry ? entry.private_key : undefined],
    ['certificate', 'certificate' in entry ? entry.certificate : undefined],
    ['passphrase', 'passphrase' in entry ? entry.passphrase : undefined],
    ['escalation.password', 'escalation' in entry ? entry.escalation?.password : undefined],
  ];
  return all.flatMap(([key, source]) => (source === undefined ? [] : [[key, source] as const]));
}
