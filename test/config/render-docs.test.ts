import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CREDENTIAL_KEYS } from '../../src/config/credentials-schema.ts';
import { renderConfigDocs } from '../../src/config/render-docs.ts';
import { INSTANCE_KEYS } from '../../src/config/scanners-schema.ts';
import { ENGINES } from '../../src/engines.ts';
import { Settings } from '../../src/config/settings.ts';
import { settingVariables } from '../../src/config/settings-environment.ts';

describe('docs/config.md', () => {
  it('has a line for every setting, with variable, default, bounds and meaning', () => {
    const text = renderConfigDocs();
    for (const { name } of settingVariables(Settings)) expect(text).toContain(`| \`${name}\` |`);
    expect(text).toContain(
      '| `worker.max_concurrent_scans` | `SCANMUX_WORKER_MAX_CONCURRENT_SCANS` | `64` | whole number, 1 to 256 | Scans one worker runs at once, over all pools. Less than the limits of all instances together lets a busy pool hold up the others. |',
    );
    expect(text).toContain('`silent`, `error`, `warn`, `info`, `debug`');
  });

  it('has a line for every key of every kind of credential', () => {
    const text = renderConfigDocs();
    for (const [kind, schema] of Object.entries(CREDENTIAL_KEYS)) {
      expect(text).toContain(`### Keys of \`${kind}\` besides`);
      for (const key of Object.keys(schema.shape)) expect(text).toContain(`| \`${key}\` |`);
    }
    expect(text).toContain('| `private_key` | required | see above | PEM or OpenSSH text. |');
  });

  it('has a line for every key of an instance, and those of each engine', () => {
    const text = renderConfigDocs({ nmap: z.strictObject({ binary: z.string().describe('Absolute path | file.') }) });
    for (const key of INSTANCE_KEYS) expect(text).toContain(`| \`${key}\` |`);
    expect(text).toContain('### Keys of `nmap`');
    expect(text).toContain('| `binary` | required | text | Absolute path \\| file. |');
  });

  it('has the keys of every engine there is, as the page lies in the repository', () => {
    const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'config.md'), 'utf8');
    for (const engine of Object.keys(ENGINES)) expect(page).toContain(`### Keys of \`${engine}\``);
  });
});
