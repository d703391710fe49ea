import { isObject, objectOf, textOf, type JsonObject } from '../json-fields.ts';

type IsDefault = (value: unknown) => boolean;

/** What Go writes for nothing: false, 0, '', null, [], {}, and objects of nothing else. */
const isEmpty: IsDefault = (value) => {
  if (Array.isArray(value)) return value.length === 0;
  if (isObject(value)) return Object.values(value).every((held) => held === '' || held === false || held === null);
  return value === undefined || value === null || value === false || value === '' || value === 0;
};
const isAny: IsDefault = () => true;
const is =
  (expected: unknown): IsDefault =>
  (value) =>
    value === expected;

/** Settings that say where the report goes, or how the database is fetched: none changes what is reported. */
const HARMLESS = [
  'output',
  'file',
  'pretty',
  'output-template-file',
  'check-for-app-update',
  'fail-on-severity',
  'registry',
  'show-suppressed',
  'sortby',
  'name',
  'default-image-pull-source',
  'db',
  'dev',
  'log',
  'quiet',
  'verbosity',
  'configpath',
  'timestamp',
  'cache',
  'parallelism',
  'alerts',
];

const SEARCH: ReadonlyMap<string, IsDefault> = new Map([
  ['scope', (value: unknown) => textOf(value)?.toLowerCase() === 'squashed'],
  ['indexed-archives', is(true)],
]);

/** Matching by CPE: on for these only. */
const USES_CPES = new Set(['jvm', 'stock']);

const CHECKED: ReadonlyMap<string, IsDefault> = new Map([
  ...HARMLESS.map((key): [string, IsDefault] => [key, isAny]),
  ['ignore', (value: unknown) => isEmpty(value) || (Array.isArray(value) && value.every(isBuiltIn))],
  ['search', (value: unknown) => isObject(value) && 'scope' in value && allDefault(value, SEARCH)],
  ['match', (value: unknown) => Object.entries(objectOf(value)).every(([name, held]) => isMatcherDefault(name, held))],
  ['externalsources', (value: unknown) => isEmpty(objectOf(value)['enable'])],
]);

/** Archives that were left out took matches away, too. */
const WIDEST: typeof CHECKED = new Map([
  ...CHECKED,
  [
    'search',
    (value: unknown) =>
      isObject(value) && 'scope' in value && allDefault({ ...value, 'indexed-archives': true }, SEARCH),
  ],
]);

/** A setting that is not known narrows what is reported unless it is empty. */
const allDefault = (settings: JsonObject, known: ReadonlyMap<string, IsDefault>): boolean =>
  Object.entries(settings).every(([key, value]) => (known.get(key.toLowerCase()) ?? isEmpty)(value));

function isMatcherDefault(name: string, settings: unknown): boolean {
  const known = new Map([
    ['using-cpes', is(USES_CPES.has(name))],
    ['always-use-cpe-for-stdlib', is(true)],
  ]);
  return isObject(settings) && allDefault(settings, known);
}

const KERNEL_HEADERS = new Set(['kernel-headers', 'linux(-.*)?-headers-.*', 'linux-libc-dev']);

/** Rules every Grype comes with: a kernel's weaknesses are not those of its headers. What they hide is listed. */
function isBuiltIn(rule: unknown): boolean {
  const { package: about, 'match-type': matchType, ...others } = objectOf(rule);
  return (
    matchType === 'exact-indirect-match' && KERNEL_HEADERS.has(textOf(objectOf(about)['name']) ?? '') && isEmpty(others)
  );
}

/** Settings that only ever take matches away. */
const NARROWING = new Set([
  'exclude',
  'ignore',
  'only-fixed',
  'only-notfixed',
  'ignore-wontfix',
  'ignore-states',
  'vex-documents',
]);

/**
 * Whether Grype may have reported what it would not without its options: other layers, matchers, distributions, sources,
 * names. One that is not known may do that, and so may a report that does not state its configuration.
 */
export const showsMore = (configuration: unknown): boolean =>
  !isObject(configuration) ||
  !isObject(configuration['search']) ||
  !allDefault(
    Object.fromEntries(Object.entries(configuration).filter(([key]) => !NARROWING.has(key.toLowerCase()))),
    WIDEST,
  );

/**
 * Whether Grype reported every match it had, as far as its configuration says: exclusions, ignore rules, states of fixes,
 * VEX documents, other names (`by-cve`), layers and matchers are all as they are without options. A report that does not
 * state its configuration says nothing.
 */
export const showsAll = (configuration: unknown): boolean =>
  isObject(configuration) && 'search' in configuration && allDefault(configuration, CHECKED);
