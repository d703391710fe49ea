/** How the login to a host goes, as a scenario says it. */
export const LOGIN_OUTCOMES = [
  'success',
  'failed',
  'wrong_key',
  'insufficient_privilege',
  'needs_privilege',
  'intermittent',
  'patch_check_failed',
  'service_closed',
  'no_admin',
  'no_registry',
] as const;
type Outcome = (typeof LOGIN_OUTCOMES)[number] | 'not_asked';

/** An item of a report that depends on how the scan went. */
export interface PluginItem {
  readonly id: number;
  readonly name: string;
  readonly family: string;
  readonly port: number;
  readonly service: string;
  readonly output: string;
}

/** What a scan logged in with, as far as it shows in a report. */
export interface LoginFacts {
  readonly protocol: 'SSH' | 'SMB';
  readonly username: string;
  /** The scan asked to become an administrator after login. */
  readonly elevates: boolean;
}

/** What plugin 19506 says of one host, and which plugins speak of the login. */
export interface HostLogin {
  /** The text behind `Credentialed checks :`. */
  readonly credentialed: string;
  readonly items: readonly PluginItem[];
}

const BY_PROTOCOL = 'by Authentication Protocol';
const NAMES: Readonly<Record<number, string>> = {
  21745: 'OS Security Patch Assessment Failed',
  24786: 'Nessus Windows Scan Not Performed with Admin Privileges',
  26917: 'Microsoft Windows SMB Registry : Nessus Cannot Access the Windows Registry',
  104410: `Target Credential Status ${BY_PROTOCOL} - Failure for Provided Credentials`,
  110095: `Target Credential Issues ${BY_PROTOCOL} - No Issues Found`,
  110385: `Target Credential Issues ${BY_PROTOCOL} - Insufficient Privilege`,
  110723: `Target Credential Status ${BY_PROTOCOL} - No Credentials Provided`,
  117885: `Target Credential Issues ${BY_PROTOCOL} - Intermittent Authentication Failure`,
  117886: 'OS Security Patch Assessment Not Available',
  117887: 'OS Security Patch Assessment Available',
  141118: `Target Credential Status ${BY_PROTOCOL} - Valid Credentials Provided`,
};

const PORT = { SSH: 22, SMB: 445 } as const;
const SERVICE = { SSH: 'ssh', SMB: 'cifs' } as const;

/** The items of one host, in the words of Nessus's plugins as far as a reader depends on them. */
export function hostLogin(outcome: Outcome, facts: LoginFacts): HostLogin {
  const { protocol, username } = facts;
  const via = `as '${username}' via ${protocol.toLowerCase()}`;
  const at = (id: number, output: string): PluginItem => ({
    id,
    name: NAMES[id] ?? '',
    family: id === 26917 ? 'Windows' : 'Settings',
    port: [104410, 26917].includes(id) ? PORT[protocol] : 0,
    service: [104410, 26917].includes(id) ? SERVICE[protocol] : 'general',
    output,
  });
  const cameIn = at(
    141118,
    `Nessus was able to log in to the remote host via the following :\n\nUser:         '${username}'\nPort:         ${PORT[protocol]}\nProto:        ${protocol}\nMethod:       password\n`,
  );
  const refused = (why: string): PluginItem =>
    at(
      104410,
      `\nNessus was unable to log into the following host for which\ncredentials have been provided :\n\n  Protocol        : ${protocol}\n  Port            : ${PORT[protocol]}\n  Failure details :\n\n  - User : ${username}\n\n    - Message     : ${why}\n`,
    );
  const unassessed = at(
    21745,
    `\nThe following service errors were logged :\n\n    Protocol    : ${protocol}\n    Message     : \nUnable to login to remote host with supplied credential sets.\n`,
  );
  const unavailable = (reason: string): PluginItem =>
    at(117886, `\nThe following issues were reported :\n\n  - Reason : ${reason}\n`);
  const assessed = at(
    117887,
    `OS Security Patch Assessment is available.\n\nAccount  : ${username}\nProtocol : ${protocol}\n`,
  );
  const noIssues = at(
    110095,
    `Nessus was able to log in to the remote host via the following :\n\nUser:         '${username}'\nProto:        ${protocol}\n\nwith sufficient privileges for all planned checks.\n`,
  );
  const lacking = at(
    110385,
    `Nessus was able to log into the remote host, however this credential\ndid not have sufficient privileges for all planned checks :\n\nUser:         '${username}'\nProto:        ${protocol}\n`,
  );
  const full: HostLogin = { credentialed: `yes, ${via}`, items: [cameIn, noIssues, assessed] };
  const less: HostLogin = { credentialed: `yes, ${via}`, items: [cameIn, lacking, assessed] };
  const notIn = (...items: PluginItem[]): HostLogin => ({ credentialed: 'no', items });
  switch (outcome) {
    case 'success':
      return full;
    case 'failed':
      return notIn(refused('Failed to authenticate using the supplied password.'), unassessed);
    case 'wrong_key':
      return notIn(refused('Failed to load the SSH private key. Is the associated passphrase correct?'), unassessed);
    case 'insufficient_privilege':
      return less;
    case 'needs_privilege':
      return facts.elevates ? full : less;
    case 'intermittent': {
      const now = at(
        117885,
        `Nessus was able to log into the remote host with no issues initially, but later\nattempts failed :\n\nUser:         '${username}'\nProto:        ${protocol}\n`,
      );
      return { credentialed: `yes, ${via}`, items: [cameIn, now, assessed] };
    }
    case 'patch_check_failed':
      return { credentialed: `yes, ${via}`, items: [cameIn, noIssues, unassessed] };
    case 'service_closed':
      return notIn(unavailable(`${protocol} service was not detected on the remote host.`));
    case 'no_admin':
      return {
        credentialed: `yes, ${via}`,
        items: [
          cameIn,
          at(24786, `\nIt was not possible to connect to '\\\\HOST\\ADMIN$' with the supplied credentials.\n`),
        ],
      };
    case 'no_registry':
      return notIn(at(26917, '\nCould not connect to the registry because:\nCould not connect to \\winreg\n'));
    case 'not_asked':
      return notIn(
        at(
          110723,
          `${protocol} was detected on port ${PORT[protocol]} but no credentials were provided.\n${protocol} local checks were not enabled.\n`,
        ),
        unavailable('No credentials were provided.'),
      );
  }
}
