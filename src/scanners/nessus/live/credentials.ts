import type { Credential, Escalation, EscalationMethod } from '../../../model/credential.ts';

/** What Nessus calls each way to become an administrator (`elevate_privileges_with`). */
const ELEVATE: Readonly<Record<EscalationMethod, string>> = {
  sudo: 'sudo',
  su: 'su',
  'su+sudo': 'su+sudo',
  pbrun: 'pbrun',
  dzdo: 'dzdo',
  '.k5login': '.k5login',
  'Cisco enable': "Cisco 'enable'",
  'Checkpoint expert': "Checkpoint Gaia 'expert'",
};

/** Names that uploaded key files got at the scanner. */
export interface KeyFiles {
  readonly privateKey: string;
  readonly certificate?: string;
}

type Fields = Readonly<Record<string, string>>;

/** `credentials` of a new scan (SCANNER_APIS 1.4). All values are text. */
export function credentialsPayload(credential: Credential, files: KeyFiles | undefined): unknown {
  const [type, fields] = entryOf(credential, files);
  return { add: { Host: { [type]: [fields] } }, edit: {}, delete: [] };
}

function entryOf(credential: Credential, files: KeyFiles | undefined): readonly ['SSH' | 'Windows', Fields] {
  const { username } = credential;
  switch (credential.kind) {
    case 'windows_password':
      return [
        'Windows',
        { auth_method: 'Password', username, password: credential.password, domain: credential.domain ?? '' },
      ];
    case 'ssh_password':
      return [
        'SSH',
        {
          auth_method: 'password',
          username,
          password: credential.password,
          custom_password_prompt: '',
          target_priority_list: '',
          ...elevation(credential.escalation),
        },
      ];
    case 'ssh_key':
      return ['SSH', { auth_method: 'public key', username, ...keyFields(credential, files) }];
    case 'ssh_certificate':
      return [
        'SSH',
        {
          auth_method: 'certificate',
          username,
          user_cert: files?.certificate ?? '',
          ...keyFields(credential, files),
        },
      ];
  }
}

const keyFields = (
  { passphrase, escalation }: Pick<Extract<Credential, { kind: 'ssh_key' }>, 'passphrase' | 'escalation'>,
  files: KeyFiles | undefined,
): Fields => ({
  private_key: files?.privateKey ?? '',
  private_key_passphrase: passphrase ?? '',
  target_priority_list: '',
  ...elevation(escalation),
});

function elevation(escalation: Escalation | undefined): Fields {
  if (!escalation) return { elevate_privileges_with: 'Nothing' };
  const { method, account, password } = escalation;
  return {
    elevate_privileges_with: ELEVATE[method],
    ...(account === undefined ? {} : { escalation_account: account }),
    ...(password === undefined ? {} : { escalation_password: password }),
  };
}
