import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlace, runCommand, type Place } from './command-process.ts';

let place: Place;
beforeAll(() => {
  place = createPlace();
});
afterAll(() => place.clean());

const NO_SCAN = 'scan_00000000000000000000';

describe('a mistake on the command line', () => {
  const cases: readonly (readonly [string, readonly string[], number, RegExp])[] = [
    ['an unknown command', ['scann'], 2, /unknown command 'scann'[\s\S]*Did you mean scan/],
    ['an unknown option', ['list', '--stat', 'x'], 2, /unknown option '--stat'/],
    ['a group without its command', ['policy'], 2, /Usage: scanmux policy/],
    ['a scan without a target', ['scan'], 2, /missing required argument 'targets'/],
    ['an option without its value', ['list', '--config'], 2, /argument missing/],
    ['a number that is none', ['scan', '127.0.0.1', '--priority', 'high'], 2, /must be a whole number/],
    ['a number out of bounds', ['scan', '127.0.0.1', '--priority', '99'], 2, /^invalid_request: --priority: /],
    ['ports that are none', ['scan', '127.0.0.1', '--ports', 'http'], 2, /^invalid_request: --ports: must look like/],
    ['an intensity there is not', ['scan', '127.0.0.1', '--intensity', 'max'], 2, /Allowed choices are light/],
    [
      'a time without a zone',
      ['search', '--finished-after', '2026-11-01'],
      2,
      /--finished-after: must look like 2026-/,
    ],
    ['a target with a comma', ['scan', '127.0.0.1,127.0.0.2'], 2, /^target_invalid: /],
    ['a target like an option', ['scan', '--', '-oX/tmp/x'], 2, /^target_invalid: /],
    ['an octal address', ['scan', '0177.0.0.1'], 2, /^target_invalid: /],
    ['a newline in a target', ['scan', '127.0.0.1\n127.0.0.2'], 2, /^target_invalid: /],
    ['a target outside the scope', ['scan', '10.0.0.1'], 3, /^target_denied: [\s\S]*scanmux policy allow 10\.0\.0\.1/],
    ['a metadata address', ['policy', 'check', '169.254.169.254'], 3, /^There is no policy\.yaml: /],
    ['a pool there is not', ['scan', '127.0.0.1', '--pool', 'nesus'], 4, /^pool_unknown: /],
    ['an instance there is not', ['scan', '127.0.0.1', '--instance', 'x'], 4, /^instance_unknown: /],
    ['an unknown scan id', ['status', NO_SCAN], 4, /^scan_not_found: .*\nRun `scanmux list`/],
    ['a malformed scan id', ['results', '../../etc/passwd'], 4, /^scan_not_found: /],
    ['an unknown finding', ['finding', `${NO_SCAN}.1`], 4, /^finding_not_found: .*\nTake .*`scanmux results`/],
    ['an unknown scan to cancel', ['cancel', NO_SCAN], 4, /^scan_not_found: /],
    ['an unknown dead letter', ['dlq', 'retry', NO_SCAN], 4, /^scan_not_found: /],
    ['a bad cursor', ['list', '--cursor', 'x'], 2, /^cursor_invalid: /],
    ['a policy entry that is none', ['policy', 'allow', '10.0.0.1 10.0.0.2'], 2, /^invalid_request: /],
    [
      'a scope that has ended',
      ['policy', 'allow', '10.9.9.9', '--expires', '2020-01-01'],
      2,
      /^invalid_request: --expires .*has passed.*\nCorrect it and run the command again/,
    ],
    [
      'a last day that is none',
      ['policy', 'allow', '10.9.9.9', '--expires', 'soon'],
      2,
      /^invalid_request: --expires .*date like/,
    ],
    [
      'a deny entry that ends',
      ['policy', 'deny', '10.9.9.9', '--expires', '2999-01-01'],
      2,
      /^invalid_request: --expires .*until it is removed/,
    ],
    ['a tail of less', ['audit', 'tail', '--', '-1'], 2, /must be 0 or more/],
    ['a negative age', ['dlq', 'purge', '--older-than', '-1'], 2, /must be 0 or more/],
    ['a tail of nothing', ['audit', 'tail', '0'], 2, /^invalid_request: /],
  ];

  it.each(cases)('%s is told with its code, a next step and no stack', async (_title, argv, code, said) => {
    const ended = await runCommand(place, argv);
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code, stderr: expect.stringMatching(said) });
    expect(ended.stderr).not.toMatch(/^ +at /m);
  });
});

describe('a broken installation', () => {
  it('is told how to fill the very folder it looks at', async () => {
    const folder = join(place.folder, 'not there yet');
    const asked = await runCommand(place, ['doctor', '--config', folder]);
    expect(asked.stdout).toContain(`Fix: \`scanmux init --config '${folder}'\` writes`);
    expect((await runCommand(place, ['doctor'])).stdout).toContain('Fix: `scanmux init` writes');
  });

  it('is told when the data folder lies below a file', async () => {
    const file = join(place.folder, 'file');
    writeFileSync(file, '');
    const { code, stderr } = await runCommand(place, ['list', '--data', join(file, 'data')]);
    expect({ code, stderr }).toEqual({
      code: 5,
      stderr: expect.stringMatching(/^storage_unusable: .*\nMake /),
    });
    const doctor = await runCommand(place, ['doctor', '--data', join(file, 'data')]);
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/^fail +data +storage_unusable: .*Fix: Make /m);
  });

  const broken = 'a: [1\n  b';
  it.each(['scanmux.yaml', 'scanners.yaml', 'policy.yaml'])('doctor names what is wrong in %s', async (name) => {
    const config = join(place.folder, `broken-${name}`);
    mkdirSync(config);
    writeFileSync(join(config, name), broken);
    const { code, stdout } = await runCommand(place, ['doctor', '--config', config]);
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^fail .*(${name}|line 1|The policy file).*Fix: `, 'm'));
  });

  it('refuses every command over broken settings, in the words of the file', async () => {
    const config = join(place.folder, 'broken-settings');
    mkdirSync(config);
    writeFileSync(join(config, 'scanmux.yaml'), 'default_pol: nmap\n');
    const { code, stderr } = await runCommand(place, ['list', '--config', config]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^config_invalid: .*scanmux\.yaml:1: default_pol: unknown key; did you mean default_pool\?/,
      ),
    });
  });

  it('allows nothing with a broken policy, not even loopback', async () => {
    const config = join(place.folder, 'broken-policy');
    mkdirSync(config);
    writeFileSync(join(config, 'policy.yaml'), broken);
    expect((await runCommand(place, ['scan', '127.0.0.1', '--config', config])).code).toBe(3);
    const shown = await runCommand(place, ['policy', 'show', '--config', config]);
    expect({ code: shown.code, stderr: shown.stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^config_invalid: The policy file was refused, .*at line 2.*\.\nCorrect the file.*\n$/,
      ),
    });
    expect(shown.stdout).toMatch(/^In force: +nothing/m);
    expect(shown.stdout).not.toMatch(/max hosts|allowed:/i);
    const edited = await runCommand(place, ['policy', 'allow', '10.0.0.1', '--config', config]);
    expect({ code: edited.code, lines: edited.stderr.trim().split('\n').length }).toEqual({ code: 2, lines: 2 });
  });

  it('keeps its scanners when a reload finds a broken file', async () => {
    const config = join(place.folder, 'broken-scanners');
    mkdirSync(config);
    writeFileSync(join(config, 'scanners.yaml'), broken);
    // One mistake that the parser meets twice at one place.
    writeFileSync(join(config, 'scanners.yaml'), 'not yaml: [[[');
    const { code, stderr } = await runCommand(place, ['reload', '--config', config]);
    const lines = stderr.trim().split('\n');
    expect(new Set(lines).size).toBe(lines.length);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^config_invalid: /) });
  });

  it('is told when the database is damaged', async () => {
    const data = join(place.folder, 'damaged');
    const env = { SCANMUX_DATA_DIR: data };
    expect((await runCommand(place, ['list'], { env })).code).toBe(0);
    writeFileSync(join(data, 'queue.db'), 'not a database at all, only a few words in a file'.repeat(50));
    const { code, stderr } = await runCommand(place, ['list'], { env });
    expect({ code, stderr }).toEqual({ code: 5, stderr: expect.stringMatching(/^storage_unusable: /) });
    const doctor = await runCommand(place, ['doctor'], { env });
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(
      /^fail +queue +storage_unusable: .*queue\.db .*Fix: restore queue\.db, queue\.db-wal and queue\.db-shm .*loses the scan records/m,
    );
    expect(doctor.stdout).not.toMatch(/`scanmux doctor`/);
    // The rest is looked at all the same.
    for (const subject of ['scanners', 'engine', 'policy', 'audit']) {
      expect(doctor.stdout).toMatch(new RegExp(`^ok +${subject} `, 'm'));
    }
  });

  it('is told as damage of the audit log when that cannot be read', async () => {
    const data = join(place.folder, 'damaged-audit');
    const env = { SCANMUX_DATA_DIR: data };
    expect((await runCommand(place, ['list'], { env })).code).toBe(0);
    writeFileSync(join(data, 'audit.db'), 'not a database at all, only a few words in a file'.repeat(50));
    const { code, stdout } = await runCommand(place, ['doctor'], { env });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail +audit +storage_unusable: .*audit\.db/m);
    expect(stdout).toMatch(/^ok +policy /m);
  });
});

describe('the working directory', () => {
  it('is not read: a hostile policy and scanners file there change nothing', async () => {
    const repository = join(place.folder, 'repository');
    for (const folder of [repository, join(repository, 'config')]) {
      mkdirSync(folder);
      writeFileSync(join(folder, 'policy.yaml'), 'allow:\n  - 0.0.0.0/0\n');
      writeFileSync(join(folder, 'scanners.yaml'), 'evil:\n  - instance_id: a\n    type: baseline\n');
      writeFileSync(join(folder, 'scanmux.yaml'), 'default_pool: evil\n');
    }
    const options = { cwd: repository };
    expect((await runCommand(place, ['policy', 'check', '10.0.0.1'], options)).code).toBe(3);
    expect((await runCommand(place, ['doctor'], options)).stdout).not.toContain('evil');
  });
});
