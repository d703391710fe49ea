import type { z } from 'zod';
import type { Location } from '../../model/finding.ts';
import { defined, textOf, type JsonObject } from '../json-fields.ts';

/** What was scanned as a whole: `ArtifactName` and `ArtifactType`; of a cluster report, one of its resources. */
export interface Artifact {
  readonly name: string | undefined;
  readonly isImage: boolean;
}

/** The part of the artifact that a result is about. */
export interface ResultFacts {
  /** File, or in words what was looked at: `app:1 (alpine 3.11.12)`, `Node.js`. */
  readonly target: string | undefined;
  /** os-pkgs, lang-pkgs, config, secret, license, license-file, custom; absent in old reports. */
  readonly class: string | undefined;
  readonly type: string | undefined;
}

/** Types whose target is a word for all packages of a language: the package says its own path. */
const COLLECTIONS = new Set(['node-pkg', 'python-pkg', 'gemspec', 'jar', 'conda-pkg']);
const NO_FILES = new Set(['OS Packages', 'Loose File License(s)', 'Node.js', 'Python', 'Ruby', 'Java', 'Conda']);

/** The file that a result names, if it names one. */
export function fileOf({ target, class: kind, type }: ResultFacts): string | undefined {
  const isWord = kind === 'os-pkgs' || COLLECTIONS.has(type ?? '') || NO_FILES.has(target ?? '');
  return isWord ? undefined : target;
}

/** `lang-pkgs/npm`, `secret`: the kind of check behind a result. */
export const familyOf = ({ class: kind, type }: ResultFacts): string | undefined =>
  [kind, type].filter((part) => part !== undefined).join('/') || undefined;

/** The place of one item; a place inside an image is named by the image first. */
export function trivyPlace(artifact: Artifact, result: ResultFacts, item: JsonObject): z.input<typeof Location> {
  const file = textOf(item['PkgPath']) ?? textOf(item['FilePath']) ?? fileOf(result);
  if (artifact.isImage) return defined({ image: artifact.name, file });
  return defined({ file: file ?? artifact.name ?? result.target });
}

/** Where a result proves a look: the image, or the file. */
export const lookedAt = (artifact: Artifact, result: ResultFacts): string | undefined =>
  artifact.isImage ? artifact.name : (fileOf(result) ?? artifact.name);
