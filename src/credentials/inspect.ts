import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { secretSourcesOf, type SecretSource } from '../config/credentials-schema.ts';
import { variable, type Environment } from '../config/environment.ts';
import type { CredentialsInspection, CredentialTrouble } from './credentials.ts';
import { credentialsInForce } from './file-in-force.ts';
import type { KnownCredential } from './read-credentials.ts';
import { commandProgram } from './secret-command.ts';

/** Bits of a file's mode that let its group or everybody read or write it. */
const OTHERS_MAY = 0o066;

/** Looks at credentials.yaml and where its secrets are; reads no secret and runs no command. Never throws. */
export async function inspectCredentials(file: string, env: Environment): Promise<CredentialsInspection> {
  const { known, lastError } = credentialsInForce(file)();
  const all = [...known.values()];
  const secrets = await Promise.all(all.map((credential) => secretTroubles(credential, env)));
  return {
    count: known.size,
    fromEnvironment: all
      .flatMap(({ entry }) => secretSourcesOf(entry))
      .filter(([, source]) => isFromEnvironment(source)).length,
    ...(lastError === undefined ? {} : { lastError }),
    troubles: [...(await openToOthers(file, file)), ...all.flatMap(unused), ...secrets.flat()],
  };
}

const isFromEnvironment = ({ env, pass_env: passed = [] }: SecretSource): boolean =>
  env !== undefined || passed.length > 0;

function unused({ ref, entry: { pools, targets } }: KnownCredential): CredentialTrouble[] {
  const missing = [...(pools.length === 0 ? ['pools'] : []), ...(targets.length === 0 ? ['targets'] : [])];
  if (missing.length === 0) return [];
  return [{ said: `${ref} has no ${missing.join(' and no ')}, so it can be used nowhere.`, fix: 'add them.' }];
}

async function secretTroubles({ ref, entry }: KnownCredential, env: Environment): Promise<CredentialTrouble[]> {
  const found = secretSourcesOf(entry).map(([key, source]) => troubleWith(`${ref}.${key}`, source, env));
  return (await Promise.all(found)).flat();
}

const SET_IT =
  'set it where servers and workers are started, and end a worker that runs: it keeps the environment it was started with.';

async function troubleWith(
  where: string,
  { env: name, file, command = [] }: SecretSource,
  env: Environment,
): Promise<CredentialTrouble[]> {
  if (name !== undefined) {
    if (variable(env, name) !== undefined) return [];
    return [{ said: `${where}: the variable ${name} is not set here.`, fix: SET_IT }];
  }
  if (file !== undefined) {
    const isReadable = await access(file, constants.R_OK).then(
      () => true,
      () => false,
    );
    if (!isReadable) return [{ said: `${where}: ${file} is not there or cannot be read.`, fix: 'correct the path.' }];
    return openToOthers(file, where);
  }
  const program = commandProgram(command[0] ?? '', env);
  const isThere = program !== undefined && (await stat(program).catch(() => undefined))?.isFile() === true;
  return isThere ? [] : [{ said: `${where}: its program was not found.`, fix: 'name it by its absolute path.' }];
}

/** On Windows modes say nothing, and nothing is said. */
async function openToOthers(file: string, what: string): Promise<CredentialTrouble[]> {
  const mode = process.platform === 'win32' ? 0 : ((await stat(file).catch(() => undefined))?.mode ?? 0);
  if ((mode & OTHERS_MAY) === 0) return [];
  const named = what === file ? file : `${what}: ${file}`;
  return [{ said: `${named} can be read or written by other users.`, fix: `chmod 600 ${file}` }];
}
