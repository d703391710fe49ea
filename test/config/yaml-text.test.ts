import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/yaml-text.ts';

const problems = (text: string): string[] =>
  parseYaml(text, 'x.yaml').problems.map(({ where, message }) => `${where} ${message}`);

describe('YAML of the configuration', () => {
  it('becomes plain JSON and leads back to its lines', () => {
    const yaml = parseYaml('# first\npool:\n  - url: a\n    limit: 3\n', 'x.yaml');
    expect(yaml.value).toEqual({ pool: [{ url: 'a', limit: 3 }] });
    expect(yaml.lineOf(['pool', 0, 'limit'])).toBe(4);
    expect(yaml.lineOf(['pool', 0, 'absent'])).toBe(3);
    expect(yaml.lineOf(['nowhere'])).toBeUndefined();
  });

  it('is null when there is nothing but comments', () => {
    expect(parseYaml('# nothing\n', 'x.yaml')).toMatchObject({ value: null, problems: [] });
  });

  it.each([
    ['a duplicate key', 'a: 1\na: 2\n', 'x.yaml:2:1 YAML: this key stands here twice'],
    ['a bracket that stays open', 'a: [1\n', 'x.yaml:2:1 YAML: wrong indentation, or a bracket that is not closed'],
    ['a tab', 'a:\n\tb: 1\n', 'x.yaml:2:1 YAML: indent with spaces, not tabs'],
    ['a custom tag', 'a: !run ls\n', 'x.yaml:1:4 YAML: tags ("!...") are not allowed'],
    ['a tag of another schema', 'a: !!binary aGk=\n', 'x.yaml:1:13 YAML: tags ("!...") are not allowed'],
    [
      'a second document',
      'a: 1\n---\nb: 2\n',
      'x.yaml:2:1 YAML: only one document per file ("---" starts a second one)',
    ],
    ['a key that is no text', '? [a]\n: 1\n', 'x.yaml:1:3 YAML: keys must be plain text'],
    ['an alias without anchor', 'a: *gone\n', 'x.yaml YAML: an alias has no anchor, or aliases multiply too much'],
  ])('refuses %s and says where', (_what, text, expected) => {
    expect(problems(text)).toEqual([expected]);
  });

  it('refuses an alias bomb', () => {
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${Array(9).fill(`*l${n}`).join(',')}]`);
    const bomb = ['l0: &l0 [x]', ...levels].join('\n');
    expect(problems(bomb)).toEqual(['x.yaml YAML: an alias has no anchor, or aliases multiply too much']);
  });

  it('refuses a file that is too large to be configuration', () => {
    expect(problems(`a: ${'x'.repeat(1 << 20)}`)).toEqual(['x.yaml is larger than 1048576 bytes']);
  });

  it('does not quote the file, which may hold a password', () => {
    for (const text of [
      'password: "hunter2" hunter2\n',
      'password: *hunter2\n',
      'password: !hunter2 x\n',
      'hunter2\nb: 1\n',
    ]) {
      expect(problems(text)).not.toEqual([]);
      expect(problems(text).join()).not.toContain('hunter2');
    }
  });

  it('does not read merge keys or prototype keys as anything special', () => {
    const { value } = parseYaml('base: &b {x: 1}\nuse: {<<: *b}\n__proto__: {polluted: true}\n', 'x.yaml');
    expect(value).toMatchObject({ use: { '<<': { x: 1 } } });
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect({}).not.toHaveProperty('polluted');
  });
});
