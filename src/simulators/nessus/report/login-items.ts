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

/** Plugins that speak of logins, in the words of Nessus as far as a reader depends on them. */
function itemsFor({ protocol, username }: LoginFacts) {
  const at = (id: number, output: string, isOnPort = false): PluginItem => ({
    id,
    name: NAMES[id] ?? '',
    family: id === 26917 ? 'Windows' : 'Settings',
    port: isOnPort ? PORT[protocol] : 0,
    service: isOnPort ? SERVICE[protocol] : 'general',
    output,
  });
  const who = `User:         '${username}'\nPort:         ${PORT[protocol]}\nProto:        ${protocol}\n`;
  return {
    cameIn: at(141118, `Nessus was able to log in to the remote host via the following :\n\n${who}`),
    refused: (why: string) =>
      at(
        104410,
        `\nNessus was unable to log into the following host for which\ncredentials have been provided :\n\n  Protocol        : ${protocol}\n  Port            : ${PORT[protocol]}\n  Failure details :\n\n  - User : ${username}\n\n    - Message     : ${why}\n`,
        true,
      ),
    noneGiven: at(
      110723,
      `${protocol} was detected on port ${PORT[protocol]} but no credentials were provided.\n${protocol} local checks were not enabled.\n`,
    ),
    noIssues: at(
      110095,
      `Nessus was able to log in to the remote host with sufficient privileges\nfor all planned checks :\n\n${who}`,
    ),
    lacking: at(
      110385,
      `Nessus was able to log into the remote host, however this credential\ndid not have sufficient privileges for all planned checks :\n\n${who}`,
    ),
    intermittent: at(
      117885,
      `Nessus was able to log into the remote host, however later attempts\nwith the same credential failed :\n\n${who}`,
    ),
    assessed: at(
      117887,
      `OS Security Patch Assessment is available.\n\nAccount  : ${username}\nProtocol : ${protocol}\n`,
    ),
    unassessed: at(
      21745,
      `\nThe following service errors were logged :\n\n    Protocol    : ${protocol}\n    Message     : \nUnable to login to remote host with supplied credential sets.\n`,
    ),
    unavailable: (reason: string) => at(117886, `\nThe following issues were reported :\n\n  - Reason : ${reason}\n`),
    noAdmin: at(24786, `\nIt was not possible to connect to '\\\\HOST\\ADMIN$' with the supplied credentials.\n`),
    noRegistry: at(26917, '\nCould not connect to the registry because:\nCould not connect to \\winreg\n', true),
  };
}

type Items = ReturnType<typeof itemsFor>;

/** Whether the host was logged in to, and what is said of it. */
const OUTCOMES: Readonly<
  Record<Outcome, (items: Items, facts: LoginFacts) => readonly [isIn: boolean, ...items: PluginItem[]]>
> = {
  success: ({ cameIn, noIssues, assessed }) => [true, cameIn, noIssues, assessed],
  failed: ({ refused, unassessed }) => [
    false,
    refused('Failed to authenticate using the supplied password.'),
    unassessed,
  ],
  wrong_key: ({ refused, unassessed }) => [
    false,
    refused('Failed to load the SSH private key. Is the associated passphrase correct?'),
    unassessed,
  ],
  insufficient_privilege: ({ cameIn, lacking, assessed }) => [true, cameIn, lacking, assessed],
  needs_privilege: ({ cameIn, noIssues, lacking, assessed }, { elevates }) => [
    true,
    cameIn,
    elevates ? noIssues : lacking,
    assessed,
  ],
  intermittent: ({ cameIn, intermittent, assessed }) => [true, cameIn, intermittent, assessed],
  patch_check_failed: ({ cameIn, noIssues, unassessed }) => [true, cameIn, noIssues, unassessed],
  service_closed: ({ unavailable }) => [false, unavailable('The service to log in to was not detected on the host.')],
  no_admin: ({ cameIn, noAdmin }) => [true, cameIn, noAdmin],
  no_registry: ({ noRegistry }) => [false, noRegistry],
  not_asked: ({ noneGiven, unavailable }) => [false, noneGiven, unavailable('No credentials were provided.')],
};

/** What the report of one host says of the login. */
export function hostLogin(outcome: Outcome, facts: LoginFacts): HostLogin {
  const [isIn, ...items] = OUTCOMES[outcome](itemsFor(facts), facts);
  return { credentialed: isIn ? `yes, as '${facts.username}' via ${facts.protocol.toLowerCase()}` : 'no', items };
}
