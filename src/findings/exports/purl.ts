import type { Location } from '../../model/finding.ts';

/**
 * Package URL type of the words engines use for ecosystems (Trivy `Type`, Grype and Syft `type` and `language`), with the
 * namespace that the type wants. Source: package-url/purl-spec, PURL-TYPES.
 */
const ECOSYSTEM: Readonly<Record<string, readonly [type: string, namespace?: string]>> = {
  alpine: ['apk', 'alpine'],
  apk: ['apk', 'alpine'],
  wolfi: ['apk', 'wolfi'],
  chainguard: ['apk', 'chainguard'],
  debian: ['deb', 'debian'],
  deb: ['deb', 'debian'],
  ubuntu: ['deb', 'ubuntu'],
  redhat: ['rpm', 'redhat'],
  rpm: ['rpm', 'redhat'],
  centos: ['rpm', 'centos'],
  rocky: ['rpm', 'rocky'],
  alma: ['rpm', 'almalinux'],
  amazon: ['rpm', 'amazon'],
  oracle: ['rpm', 'oracle'],
  fedora: ['rpm', 'fedora'],
  photon: ['rpm', 'photon'],
  npm: ['npm'],
  yarn: ['npm'],
  pnpm: ['npm'],
  'node-pkg': ['npm'],
  bun: ['npm'],
  pip: ['pypi'],
  pipenv: ['pypi'],
  poetry: ['pypi'],
  uv: ['pypi'],
  python: ['pypi'],
  'python-pkg': ['pypi'],
  gem: ['gem'],
  gemspec: ['gem'],
  bundler: ['gem'],
  cargo: ['cargo'],
  rustbinary: ['cargo'],
  'rust-crate': ['cargo'],
  gobinary: ['golang'],
  gomod: ['golang'],
  'go-module': ['golang'],
  jar: ['maven'],
  pom: ['maven'],
  gradle: ['maven'],
  'java-archive': ['maven'],
  composer: ['composer'],
  'composer-vendor': ['composer'],
  'php-composer': ['composer'],
  nuget: ['nuget'],
  'dotnet-core': ['nuget'],
  dotnet: ['nuget'],
  pub: ['pub'],
  hex: ['hex'],
  conan: ['conan'],
  swift: ['swift'],
  cocoapods: ['cocoapods'],
};

/** purl escapes everything but letters, digits and `.-_~`; colons stay (purl-spec, 2025). */
const escaped = (text: string): string =>
  encodeURIComponent(text.replace(/\p{Cs}/gu, '\u{FFFD}')).replaceAll('%3A', ':');

/** Segments of a name, each escaped; empty ones and dots would be read as something else. */
const path = (name: string): string =>
  name
    .split('/')
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .map(escaped)
    .join('/');

const ecosystemOf = (family: string | undefined) =>
  family
    ?.toLowerCase()
    .split(/[^a-z0-9-]+/)
    // Every object knows words such as `constructor`.
    .map((word) => (Object.hasOwn(ECOSYSTEM, word) ? ECOSYSTEM[word] : undefined))
    .find((known) => known !== undefined);

function nameOf(type: string, name: string): string {
  switch (type) {
    case 'maven':
      return path(name.replaceAll(':', '/'));
    case 'pypi':
      return path(name.toLowerCase().replaceAll('_', '-'));
    case 'golang':
    case 'composer':
      return path(name.toLowerCase());
    default:
      return path(name);
  }
}

/**
 * The package of a finding as a package URL; `pkg:generic` where the engine does not say what kind it is.
 * @param family `rule_family`, where engines name the ecosystem.
 */
export function packageUrl({ package: name, version }: Location, family: string | undefined): string | undefined {
  if (name === undefined || path(name) === '') return undefined;
  const [type, namespace] = ecosystemOf(family) ?? ['generic'];
  const at = version === undefined || version === '' ? '' : `@${escaped(version)}`;
  return `pkg:${type}/${namespace === undefined ? '' : `${namespace}/`}${nameOf(type, name)}${at}`;
}

/** A container image as `pkg:docker/namespace/name@tag?repository_url=registry`. */
export function imageUrl(image: string): string | undefined {
  const [, registry, repository = '', tag] =
    /^(?:([^/]*[.:][^/]*|localhost)\/)?([^@:]+)(?:[@:](.+))?$/.exec(image) ?? [];
  if (path(repository) === '') return undefined;
  const at = tag === undefined ? '' : `@${escaped(tag)}`;
  return `pkg:docker/${path(repository)}${at}${registry === undefined ? '' : `?repository_url=${escaped(registry)}`}`;
}
