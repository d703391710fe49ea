import type { Caller } from '../model/caller.ts';
import type { Credential, CredentialKind } from '../model/credential.ts';
import type { AppError } from '../model/errors.ts';
import type { Target } from '../model/target.ts';

/** What may be said of a credential to whoever may name it. */
export interface CredentialFacts {
  readonly ref: string;
  readonly kind: CredentialKind;
  /** Cleaned. */
  readonly description: string;
}

export interface CredentialList {
  /** By name. */
  readonly refs: readonly CredentialFacts[];
  /** Why credentials.yaml cannot be used: then there are no refs. Holds no secret. */
  readonly lastError?: string;
}

export type Privilege = 'user' | 'elevated';

/** A target, and the addresses the policy has just checked for it: a credential goes to addresses, not to names. */
export interface CheckedTarget {
  readonly target: Target;
  readonly addresses: readonly string[];
}

/** What a credential is to be used for. */
export interface CredentialUse {
  readonly caller: Pick<Caller, 'tenant'>;
  readonly pool: string;
  readonly targets: readonly CheckedTarget[];
  readonly privilege: Privilege;
}

/** Logins that agents may name and never see. credentials.yaml is read again when it has changed. */
export interface Credentials {
  /** The refs of the caller's tenant; with `pools`, only those that one of them may get. */
  describe(caller: Pick<Caller, 'tenant'>, pools?: readonly string[]): CredentialList;
  /**
   * Why the credential may not be used so: `credential_unknown` (names the valid ones), `credential_denied` (says which
   * target or pool, and who can change it; `targets` are those that are outside), `config_invalid` while the file cannot
   * be used. Undefined when it may. Looks nothing up and reads no secret.
   */
  check(ref: string, use: CredentialUse): AppError | undefined;
  /**
   * Reads the secrets where the operator keeps them. For workers, right after `check`.
   * @throws AppError credential_unknown, config_invalid (a secret is not where it should be), credential_unavailable (a
   *   command failed or took too long). None of them holds anything a secret's source said.
   * @throws whatever `signal.reason` is.
   */
  resolve(ref: string, use: Pick<CredentialUse, 'privilege'>, signal: AbortSignal): Promise<Credential>;
}

/** Something about a credential that an operator should mend. */
export interface CredentialTrouble {
  readonly said: string;
  readonly fix: string;
}

/** What `scanmux doctor` tells about credentials.yaml. */
export interface CredentialsInspection {
  readonly count: number;
  /** Secrets that depend on environment variables: those of whoever asks were looked at, not the worker's. */
  readonly fromEnvironment: number;
  readonly lastError?: string;
  readonly troubles: readonly CredentialTrouble[];
}
