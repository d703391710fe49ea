import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../src/config/yaml-text.ts';
import { substitute } from '../../src/registry/substitution.ts';

const env = { HOST: 'db.local', PORT: '8834', EMPTY: '' };

describe('substitution of variables', () => {
  it('replaces variables anywhere in a value, and leaves everything else alone', () => {
    const value = { url: 'https://${HOST}:${PORT}/', list: ['${HOST}', 3, true, null], '${HOST}': 'a $HOST {x} $$ $' };
    expect(substitute(value, env)).toEqual({
      value: { url: 'https://db.local:8834/', list: ['db.local', 3, true, null], '${HOST}': 'a $HOST {x} $$ $' },
      problems: [],
    });
  });

  it('takes the default for a variable that is not set or empty, as a shell does', () => {
    const value = ['${GONE:-4}', '${EMPTY:-x y}', '${HOST:-unused}', '${GONE:-}', '${EMPTY}', '${GONE:-a:-b$c}'];
    expect(substitute(value, env).value).toEqual(['4', 'x y', 'db.local', '', '', 'a:-b$c']);
  });

  it('names every variable that is not set, with its place', () => {
    expect(substitute({ a: { b: ['x${ONE}', '${TWO}${ONE}'] } }, env).problems).toEqual([
      { path: ['a', 'b', 0], message: 'variable ONE is not set', unset: 'ONE' },
      { path: ['a', 'b', 1], message: 'variable TWO is not set', unset: 'TWO' },
      { path: ['a', 'b', 1], message: 'variable ONE is not set', unset: 'ONE' },
    ]);
  });

  it.each(['${', '${}', '${1X}', '${A B}', '${HOST', '${HOST:default}', '${HOST-default}'])('refuses %s', (text) => {
    expect(substitute({ key: text }, env).problems).toMatchObject([{ path: ['key'] }]);
  });

  it('reads $${ as a literal ${', () => {
    expect(substitute('pass$${HOST}word$$', env)).toEqual({ value: 'pass${HOST}word$$', problems: [] });
  });

  it('does not look at what a variable holds again, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.string(), (held, before, after) => {
        const clean = (text: string): string => text.replaceAll('$', '');
        const text = `${clean(before)}\${V}${clean(after)}`;
        expect(substitute(text, { V: held })).toEqual({ value: clean(before) + held + clean(after), problems: [] });
      }),
    );
  });

  it('cannot add YAML: what a variable holds stays one text', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('\nadmin: true', '"}', "' # ", '[x]', '{a: b}', '*x', '&x', '!t'),
        fc.string(),
        (a, b) => {
          const { value } = parseYaml('pool:\n  - key: ${V}\n', 'x.yaml');
          expect(substitute(value, { V: a + b }).value).toEqual({ pool: [{ key: a + b }] });
        },
      ),
    );
  });

  it('keeps any value without a dollar sign as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('$'));
        expect(JSON.stringify(substitute(value, env).value)).toBe(JSON.stringify(value));
      }),
    );
  });
});
