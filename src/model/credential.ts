import { z } from 'zod';

/** Ways to log in to a target, as Nessus and most scanners offer them. */
export const CredentialKind = z.enum(['ssh_password', 'ssh_key', 'ssh_certificate', 'windows_password']);
export type CredentialKind = z.infer<typeof CredentialKind>;

/** How an account becomes an administrator after login, in the scanner's own words (Nessus, `elevate_privileges_with`). */
export const EscalationMethod = z.enum([
  'sudo',
  'su',
  'su+sudo',
  'pbrun',
  'dzdo',
  '.k5login',
  'Cisco enable',
  'Checkpoint expert',
]);
export type EscalationMethod = z.infer<typeof EscalationMethod>;

export interface Escalation {
  readonly method: EscalationMethod;
  /** The account to become; default: the scanner's own, mostly root. */
  readonly account?: string;
  readonly password?: string;
}

/**
 * What a `credential_ref` stands for, with its secrets. It exists only in a worker, for the time of one attempt: never
 * in a tool argument, record, log, checkpoint, error or artefact.
 */
export type Credential =
  | {
      readonly kind: 'ssh_password';
      readonly username: string;
      readonly password: string;
      readonly escalation?: Escalation;
    }
  | {
      readonly kind: 'ssh_key';
      readonly username: string;
      /** PEM or OpenSSH text. */
      readonly privateKey: string;
      readonly passphrase?: string;
      readonly escalation?: Escalation;
    }
  | {
      readonly kind: 'ssh_certificate';
      readonly username: string;
      readonly privateKey: string;
      readonly certificate: string;
      readonly passphrase?: string;
      readonly escalation?: Escalation;
    }
  | {
      readonly kind: 'windows_password';
      readonly username: string;
      readonly password: string;
      readonly domain?: string;
    };

/** Every secret text a credential holds: what must be masked wherever a scanner may repeat it. */
export function secretsOf(credential: Credential): string[] {
  const { kind } = credential;
  const own =
    kind === 'ssh_key' || kind === 'ssh_certificate'
      ? [credential.privateKey, credential.passphrase]
      : [credential.password];
  const escalated = kind === 'windows_password' ? undefined : credential.escalation?.password;
  return [...own, escalated].flatMap((text) => (text === undefined || text === '' ? [] : [text]));
}
