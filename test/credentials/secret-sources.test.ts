import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { createCredentials } from '../../src/credentials/create-credentials.ts';
import { inspectCredentials } from '../../src/credentials/inspect.ts';
import { AppError } from '../../src/model/errors.ts';
import { signalProcess } from '../../src/platform/subprocess.ts';
import { tempFolder, type Folder } from './folder.ts';

const never = (): AbortSignal => new AbortController().signal;
const ENV = { PATH: process.env['PATH'], HOME: '/home/of-worker', LAB: 'from the environment', OTHER: 'not for it' };

function resolving(folder: Folder, yaml: string, env: Readonly<Record<string, string | undefined>> = ENV) {
  const made = createCredentials({ file: folder.write('credentials.yaml', yaml), env });
  return (privilege: 'user' | 'elevated' = 'user', signal = never()) => made.resolve('a', { privilege }, signal);
}

/** `a` with its password from the given source. */
const password = (source: string): string => `a: { kind: ssh_password, username: u, password: ${source} }`;

const node = (script: string, more = ''): string =>
  password(`{ command: ${JSON.stringify([process.execPath, '-e', script])}${more} }`);

describe('a secret', () => {
  it('comes from the environment, a file or a command, without one newline at its end', async () => {
    const folder = tempFolder();
    const file = folder.write('secret', 'from a file\n\n');
    expect(await resolving(folder, password('{ env: LAB }'))()).toEqual({
      kind: 'ssh_password',
      username: 'u',
      password: 'from the environment',
    });
    expect(await resolving(folder, password(`{ file: ${file} }`))()).toMatchObject({ password: 'from a file\n' });
    expect(await resolving(folder, node('console.log("from a command\\r")'))()).toMatchObject({
      password: 'from a command',
    });
  });

  it('that is a key keeps the end of its last line, which OpenSSH needs', async () => {
    const folder = tempFolder();
    const key = folder.write('key', '-----BEGIN\nkey\n-----END\n');
    const yaml = `a: { kind: ssh_certificate, username: u, private_key: { file: ${key} }, certificate: { file: ${key} }, passphrase: { env: LAB } }`;
    expect(await resolving(folder, yaml)()).toEqual({
      kind: 'ssh_certificate',
      username: 'u',
      privateKey: '-----BEGIN\nkey\n-----END\n',
      certificate: '-----BEGIN\nkey\n-----END\n',
      passphrase: 'from the environment',
    });
  });

  it('for becoming an administrator is read only when that was asked for', async () => {
    const folder = tempFolder();
    const yaml = `a:\n  kind: ssh_password\n  username: u\n  password: { env: LAB }\n  escalation: { method: su+sudo, account: root, password: { env: SUDO } }\n`;
    expect(await resolving(folder, yaml)()).not.toHaveProperty('escalation');
    await expect(resolving(folder, yaml)('elevated')).rejects.toMatchObject({ code: 'config_invalid' });
    expect(await resolving(folder, yaml, { ...ENV, SUDO: 'sudo secret' })('elevated')).toMatchObject({
      escalation: { method: 'su+sudo', account: 'root', password: 'sudo secret' },
    });
  });
});

const pidsIn = (file: string): number[] => {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return text.endsWith(']') ? JSON.parse(text) : [];
};

describe('a command for a secret', () => {
  it('gets no shell and little environment, and runs in the config folder', async () => {
    const folder = tempFolder();
    const script =
      'process.stdout.write(JSON.stringify([process.cwd(), process.argv[1], Object.keys(process.env).sort()]))';
    const yaml = password(
      `{ command: ${JSON.stringify([process.execPath, '-e', script, '$HOME; echo x'])}, pass_env: [OTHER, ABSENT] }`,
    );
    const { password: said } = { password: '', ...(await resolving(folder, yaml)()) };
    const [cwd, argument, names] = JSON.parse(said);
    expect([cwd, argument]).toEqual([folder.path, '$HOME; echo x']);
    expect(names).toEqual(['HOME', 'OTHER', 'PATH']);
  });

  it.each([
    ['fails', 'console.log("hunter2hunter2"); console.error("hunter2hunter2"); process.exit(3)', 'ended with code 3'],
    ['ends by a signal', 'process.kill(process.pid, "SIGKILL")', 'ended with a signal'],
    ['takes too long', 'console.log("hunter2hunter2"); setInterval(() => {}, 1000)', 'did not end within 1 s'],
    [
      'ignores that its time is over',
      'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)',
      'did not end within 1 s',
    ],
    ['writes without end', 'for (;;) require("fs").writeSync(1, "hunter2hunter2".repeat(1000))', 'wrote more than'],
  ])('that %s is an error without a word of what it said', async (_title, script, why) => {
    const error: unknown = await resolving(tempFolder(), node(script, ', timeout_seconds: 1'))().catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({ code: 'credential_unavailable', message: expect.stringContaining(why) });
    expect(inspect(error, { depth: 10 })).not.toContain('hunter2');
  });

  it('is not waited for beyond its time when a child of it holds its output open', async () => {
    const script =
      'require("child_process").spawn(process.execPath, ["-e", "setTimeout(() => {}, 20000)"], { stdio: "inherit", detached: true }).unref()';
    await expect(resolving(tempFolder(), node(script, ', timeout_seconds: 1'))()).rejects.toMatchObject({
      code: 'credential_unavailable',
    });
  });

  it('is stopped, with what it started, when nobody waits for it any more', async () => {
    const folder = tempFolder();
    const mark = join(folder.path, 'pids');
    const script = `
      const child = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
      require("fs").writeFileSync(${JSON.stringify(mark)}, JSON.stringify([process.pid, child.pid]));
      setInterval(() => {}, 1000)`;
    const stop = new AbortController();
    const running = resolving(folder, node(script, ', timeout_seconds: 60'))('user', stop.signal);
    await expect.poll(() => pidsIn(mark).length, { timeout: 20_000 }).toBe(2);
    stop.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    await expect.poll(() => pidsIn(mark).filter((pid) => signalProcess(pid, 0)), { timeout: 20_000 }).toEqual([]);
  });

  it.each(['/nonexistent/program', './here', 'no-such-program-anywhere'])(
    'that is no program (%s) is said',
    async (name) => {
      const yaml = password(`{ command: [${name}] }`);
      await expect(resolving(tempFolder(), yaml)()).rejects.toMatchObject({
        code: 'config_invalid',
        message: 'credentials.yaml: a.password names a command that cannot be started.',
      });
    },
  );
});

describe('a secret that is not as it should be', () => {
  const folder = tempFolder(afterAll);
  it.each([
    ['unset', password('{ env: ABSENT }'), 'is not set'],
    ['set to nothing', password('{ env: EMPTY }'), 'is not set'],
    ['in no file', password('{ file: /nonexistent/hunter2 }'), 'a file that is not there'],
    ['a folder', password(`{ file: ${folder.path} }`), 'a file that is not there'],
    ['empty', password(`{ file: ${folder.write('empty', '\n')} }`), 'is empty'],
    ['no text', password(`{ file: ${folder.write('bytes', Buffer.from([0xff, 0xfe, 0x41, 0x42]))} }`), 'not UTF-8'],
    ['with NUL', password(`{ file: ${folder.write('nul', 'abc\0def')} }`), 'NUL'],
    ['endless', password('{ file: /dev/zero }'), 'a file that is not there'],
    ['too long', password(`{ file: ${folder.write('long', 'x'.repeat(70_000))} }`), 'is longer than'],
    ['too short to be masked', password(`{ file: ${folder.write('short', 'abc\n')} }`), 'is shorter than 4 characters'],
  ])('because it is %s is config_invalid, by the name of its key', async (_title, yaml, why) => {
    const error: unknown = await resolving(tempFolder(), yaml, { ...ENV, EMPTY: '' })().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({
      code: 'config_invalid',
      retryable: false,
      message: expect.stringMatching(new RegExp(`a\\.password .*${why}`)),
    });
    const { message, hint } = {
      message: '',
      hint: '',
      ...(error instanceof AppError ? { message: error.message, hint: error.hint } : {}),
    };
    expect(`${message} ${hint}`).not.toMatch(/hunter2|abc/);
  });
});

describe('a variable that is not set', () => {
  it('is missed in the environment of the worker, and the error says which worker that is and what to do', async () => {
    const error: unknown = await resolving(tempFolder(), password('{ env: ABSENT }'))().catch((e: unknown) => e);
    expect(error).toMatchObject({
      message: expect.stringContaining(`not set in the worker (process ${process.pid})`),
      hint: expect.stringMatching(new RegExp(`end that worker with .*${process.pid}.*the next one takes`)),
    });
  });
});

describe('a look at the credentials by the doctor', () => {
  it.skipIf(process.platform === 'win32')('tells files others may read, and secrets that are not there', async () => {
    const folder = tempFolder();
    const loose = folder.write('loose', 'secret', 0o644);
    const tight = folder.write('tight', 'secret', 0o600);
    const file = folder.write(
      'credentials.yaml',
      `
a: { kind: ssh_key, username: u, pools: [p], targets: [10.0.0.1], private_key: { file: ${loose} }, passphrase: { file: ${tight} } }
b: { kind: ssh_password, username: u, password: { env: ABSENT } }
c: { kind: ssh_password, username: u, pools: [p], targets: [10.0.0.1], password: { command: [no-such-program-anywhere] } }
d: { kind: ssh_password, username: u, pools: [p], targets: [10.0.0.1], password: { env: LAB } }
`,
      0o640,
    );
    const { count, fromEnvironment, lastError, troubles } = await inspectCredentials(file, ENV);
    expect([count, fromEnvironment, lastError]).toEqual([4, 2, undefined]);
    expect(troubles).toEqual([
      { said: `${file} can be read or written by other users.`, fix: `chmod 600 ${file}` },
      { said: 'b has no pools and no targets, so it can be used nowhere.', fix: 'add them.' },
      { said: `a.private_key: ${loose} can be read or written by other users.`, fix: `chmod 600 ${loose}` },
      { said: 'b.password: the variable ABSENT is not set here.', fix: expect.any(String) },
      { said: 'c.password: its program was not found.', fix: expect.any(String) },
    ]);
  });

  it('tells what is wrong with the file, and has nothing to say when there is none', async () => {
    const folder = tempFolder();
    expect(await inspectCredentials(join(folder.path, 'none.yaml'), ENV)).toEqual({
      count: 0,
      fromEnvironment: 0,
      troubles: [],
    });
    const broken = folder.write('credentials.yaml', 'a: 1');
    expect(await inspectCredentials(broken, ENV)).toMatchObject({
      lastError: expect.stringContaining('must hold kind'),
    });
  });
});
