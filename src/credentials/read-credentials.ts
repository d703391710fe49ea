import { CREDENTIAL_KEYS, CredentialRef, type CredentialEntry } from '../config/credentials-schema.ts';
import { isRecord, pathText, type JsonPath } from '../config/json-value.ts';
import { parseLenient } from '../config/lenient-parse.ts';
import { configInvalid, type Problem } from '../config/problems.ts';
import { parseYaml } from '../config/yaml-text.ts';
import { CredentialKind } from '../model/credential.ts';
import { parseEntry } from '../policy/entry.ts';
import type { Matcher } from '../policy/rules.ts';

/** A checked entry of credentials.yaml. It says where secrets are and holds none. */
export interface KnownCredential {
  readonly ref: string;
  readonly entry: CredentialEntry;
  /** What `targets` cover. */
  readonly covers: readonly Matcher[];
}

export type KnownCredentials = ReadonlyMap<string, KnownCredential>;

/**
 * Reads and checks credentials.yaml whole.
 * @throws AppError config_invalid, listing everything that is wrong with its line, and never a value
 */
export function readCredentials(text: string, file: string): KnownCredentials {
  const yaml = parseYaml(text, file);
  if (yaml.problems.length > 0) throw configInvalid(yaml.problems);
  const known = new Map<string, KnownCredential>();
  if (yaml.value === null) return known;
  if (!isRecord(yaml.value)) {
    throw configInvalid([{ where: file, message: 'must map the name of each credential to its keys' }]);
  }
  const problems: Problem[] = [];
  const wrong = (path: JsonPath, message: string): void => {
    const place = [file, yaml.lineOf(path)].filter((part) => part !== undefined).join(':');
    problems.push({ where: `${place}: ${pathText(path.map(shortened))}`, message });
  };
  for (const [ref, raw] of Object.entries(yaml.value)) {
    const found = readEntry(ref, raw, wrong);
    if (found) known.set(ref, found);
  }
  if (problems.length > 0) throw configInvalid(problems);
  return known;
}

/** A key longer than any real one is a value that lost its place. */
const shortened = (step: string | number): string | number =>
  typeof step === 'string' && step.length > 40 ? `${step.slice(0, 8)}...` : step;

type Wrong = (path: JsonPath, message: string) => void;

function readEntry(ref: string, raw: unknown, wrong: Wrong): KnownCredential | undefined {
  const name = CredentialRef.safeParse(ref);
  if (!name.success) wrong([ref], `the name ${name.error.issues[0]?.message ?? 'is wrong'}`);
  if (!isRecord(raw)) {
    wrong([ref], 'must hold kind, username, pools, targets and where its secret is');
    return undefined;
  }
  const kind = CredentialKind.safeParse(raw['kind']);
  if (!kind.success) {
    wrong([ref, 'kind'], `must be one of ${CredentialKind.options.join(', ')}`);
    return undefined;
  }
  const parsed = parseLenient<CredentialEntry>(CREDENTIAL_KEYS[kind.data], raw);
  if (!parsed.ok) {
    for (const { path, message } of parsed.issues) wrong([ref, ...path], message);
    return undefined;
  }
  return { ref, entry: parsed.value, covers: coversOf(ref, parsed.value, wrong) };
}

function coversOf(ref: string, { targets, trust_dns: trustsDns }: CredentialEntry, wrong: Wrong): readonly Matcher[] {
  return targets.flatMap((text, index) => {
    const path = [ref, 'targets', index];
    const parsed = parseEntry(text);
    if (!parsed.ok) {
      wrong(path, parsed.reason);
      return [];
    }
    const refusal = refuseMatcher(parsed.matcher, trustsDns);
    if (refusal === undefined) return [parsed.matcher];
    wrong(path, refusal);
    return [];
  });
}

/** Whoever answers for a name decides where it leads: to let that decide who gets a password, an operator must say so. */
function refuseMatcher({ url, ranges, host, suffix }: Matcher, trustsDns: boolean): string | undefined {
  if (url) return 'a login is for hosts, not for a URL; write the address or network';
  const isName = ranges.length === 0 && (host !== undefined || suffix !== undefined);
  if (!isName || trustsDns) return undefined;
  return 'a name leads wherever its DNS says; write its address or network (targets may still be given by name), or set trust_dns: true';
}
