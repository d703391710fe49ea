import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/model/errors.ts';
import { poolsIn } from '../../src/registry/file.ts';
import { fakeEngine, plainEngine } from './fake-engine.ts';

const types = { fake: fakeEngine('fake'), baseline: plainEngine('baseline') };
const SECRET = 'hunter2-hunter2';
const GOOD = `# A comment
fake:
  - instance_id: a
    url: https://\${HOST:-localhost}:8834
    password: "${SECRET}"
    retries: 3
  - {instance_id: b, url: "https://b", enabled: false, secret_key: '\${KEY}'}
baseline_2:
  - &x
    instance_id: local
`;

/** What is wrong, or undefined when it is accepted. Anything but our own error is a defect and fails the test. */
function refusal(text: string): string | undefined {
  try {
    poolsIn(text, 's.yaml', { types, env: {} });
    return undefined;
  } catch (error) {
    if (error instanceof AppError && error.code === 'config_invalid') return error.message;
    throw error;
  }
}

describe('a damaged scanners.yaml', () => {
  it('is good before it is damaged', () => {
    expect(refusal(GOOD)).toBeUndefined();
  });

  it('is refused when an alias stands inside its own anchor', () => {
    expect(refusal('fake:\n  - &x\n    instance_id: *x\n')).toMatch(/s\.yaml:3:18.*would never end/);
  });

  it('is refused in our words when a value is no plain value', () => {
    expect(refusal(JSON.stringify({ fake: [{ instance_id: 'a', enabled: { toString: '' } }] }))).toMatch(/enabled/);
  });

  it('is accepted or refused in our words, wherever something is cut out or put in, and never quotes a password', () => {
    const junk = fc.oneof(
      fc.constantFrom('', '"', "'", '{', '}', '[', ']', ':', '&x ', '*x', '!', '\t', '\n', '${', '- '),
      fc.string(),
    );
    const at = fc.nat(GOOD.length);
    fc.assert(
      fc.property(at, fc.nat(40), junk, (start, length, inserted) => {
        const message = refusal(GOOD.slice(0, start) + inserted + GOOD.slice(start + length));
        // Cut in two, what is left of a password may be read as a key; the whole of it never is.
        expect(message ?? '').not.toContain(SECRET);
      }),
      { numRuns: 500 },
    );
  });

  it('is accepted or refused in our words, whatever plain value it holds', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        refusal(JSON.stringify(value));
        refusal(JSON.stringify({ fake: value }));
        refusal(JSON.stringify({ fake: [value] }));
        refusal(JSON.stringify({ fake: [{ instance_id: value, type: value, enabled: value, url: value }] }));
      }),
    );
  });
});
