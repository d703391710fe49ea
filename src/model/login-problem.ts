import { z } from 'zod';

/** Why a login to a host did not work, or not for everything: the scanner's reasons, in our words. */
export const LoginProblem = z.enum([
  'refused',
  'key_unusable',
  'needs_privilege',
  'no_admin',
  'no_registry',
  'intermittent',
  'no_service',
  'patch_check_failed',
  'no_credentials_for_service',
  'unknown',
]);
export type LoginProblem = z.infer<typeof LoginProblem>;

/** Hosts by the main reason why the login did not work there. */
export const LoginProblems = z.partialRecord(LoginProblem, z.int().min(1));
export type LoginProblems = z.infer<typeof LoginProblems>;

/** What happened, in one sentence, and then what an operator can do about it. */
export const LOGIN_ADVICE: Readonly<Record<LoginProblem, string>> = {
  refused:
    'the host refused user name, password or key. Check that the account exists there, is not locked, and may log in by this method from the scanner.',
  key_unusable:
    'the private key or its passphrase could not be used. Check that both belong together and that the key is in PEM or OpenSSH format.',
  needs_privilege:
    'the login worked, but the account may not read everything. Use privilege elevated with an escalation (sudo, su, ...) in credentials.yaml, or give the account the rights.',
  no_admin:
    'the account is no administrator of the Windows host. Give it administrator rights there, and set LocalAccountTokenFilterPolicy to 1 for local accounts.',
  no_registry:
    'the Windows registry could not be read. Start the Remote Registry service, or let the scanner start it, and check the rights of the account.',
  intermittent:
    'the login worked at first and failed later. Look for limits on sessions or logins, account lock-out, or a busy host.',
  no_service:
    'no service to log in to was found (SSH, SMB). Check that it runs, that its port is among those scanned, and that no firewall stands between scanner and host.',
  patch_check_failed:
    'the login worked, but the patch level could not be read. The account may lack rights to package lists, or the system is not supported.',
  no_credentials_for_service:
    'the host offers a login of another kind than the credential is for. Use a credential_ref of that kind (SSH, Windows).',
  unknown: 'the scanner says that it could not look from inside, and not why. Look at its own log for the host.',
};

/** What happened, without the advice. */
export const loginReason = (problem: LoginProblem): string =>
  LOGIN_ADVICE[problem].split('. ')[0] ?? LOGIN_ADVICE[problem];
