import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXAMPLES_FOLDER } from '../../src/config/init.ts';
import { Settings } from '../../src/config/settings.ts';
import { parseYaml } from '../../src/config/yaml-text.ts';

const example = readFileSync(join(EXAMPLES_FOLDER, 'scanmux.yaml'), 'utf8');

describe('config/scanmux.yaml', () => {
  it('changes nothing as it is', () => {
    expect(parseYaml(example, 'scanmux.yaml')).toMatchObject({ value: null, problems: [] });
  });

  it('shows every key with its default', () => {
    const used = example.replace(/^##.*\n/gm, '').replace(/^# /gm, '');
    const { value, problems } = parseYaml(used, 'scanmux.yaml');
    expect(problems).toEqual([]);
    expect(value).toEqual(Settings.parse({}));
  });
});
