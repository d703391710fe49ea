import fc from 'fast-check';

/** What a broken or hostile writer may put where something else is due. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    '',
    0,
    -1,
    {},
    [],
    [[]],
    [null],
    { a: { b: [] } },
    'x'.repeat(5_000),
    '\ud800',
    '1e999',
  ),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.integer(),
  fc.array(fc.oneof(fc.string(), fc.integer()), { maxLength: 3 }),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
);

/** An object with any of these keys, holding anything. */
export const oddObject = (...keys: string[]): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(Object.fromEntries(keys.map((key) => [key, oddValue])), { requiredKeys: [] });
