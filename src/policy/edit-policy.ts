import { mkdir, open, readFile, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { EVERY_TENANT, LOCAL_TENANT } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';
import { overlap } from './address.ts';
import { parseEntry } from './entry.ts';
import { lastMoment, parsePolicy } from './policy-schema.ts';
import { deniesByName, rulesFor, type DenyRule, type Matcher, type WrittenRules } from './rules.ts';
import { parseTarget } from './target.ts';

/** One change of the scope. `target` is an entry: address, CIDR, range, host, `*.suffix` or URL prefix. */
export interface PolicyEdit {
  readonly list: 'allow' | 'deny';
  readonly target: string;
  readonly note?: string;
  /** Last day the entry holds, `YYYY-MM-DD`, UTC; only for allow. */
  readonly expires?: string;
  /** Whose scans it is about, `*` for everybody's; without it those of `local` (allow) or everybody's (deny). */
  readonly tenant?: string | undefined;
  /** Takes the entry out instead. */
  readonly remove?: boolean;
}

export interface PolicyEdited {
  /** False when the file already said so. */
  readonly changed: boolean;
  readonly created: boolean;
  /** The file was made and also allows localhost, as the built-in scope did. */
  readonly keptLocalhost: boolean;
  /** The entry as it stands in the file. */
  readonly entry: string;
  /** Deny entries that keep winning over what was just allowed. */
  readonly stillDeniedBy: readonly string[];
}

const HEAD = '# What scanmux may scan. Deny wins; what is not allowed is denied. docs/security.md has the rules.\n';
const BUILT_IN = `allow:
  - target: localhost
    note: kept from the built-in scope of stdio; remove it to close this machine
deny: []
`;

/**
 * A file replaces the built-in scope of stdio, which is kept, unless the edit names whom it is for: then nobody else
 * gains anything by it, as everyone of `local` would, keys of HTTP included.
 */
const newFile = ({ tenant }: PolicyEdit): string => HEAD + (tenant === undefined ? BUILT_IN : 'allow: []\ndeny: []\n');

/**
 * Adds or removes one entry and leaves comments and order as they are. Written to a file beside it and renamed; what
 * would not be a valid policy is not written.
 * @param now epoch milliseconds: allowing again without a date lifts only a date that has passed.
 * @throws AppError invalid_request for an entry that cannot be read, config_invalid when the file is broken
 */
export async function editPolicy(file: string, edit: PolicyEdit, now: number): Promise<PolicyEdited> {
  const entry = parseEntry(edit.target);
  if (!entry.ok) throw new AppError('invalid_request', entry.reason, { targets: [edit.target] });
  const { canonical } = entry;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const path = await realpath(file).catch(() => file);
  return alone(path, async (write) => {
    const before = await readIfThere(path);
    if (before !== undefined) parsePolicy(before);
    const document = parseDocument(before ?? newFile(edit));
    const list = listIn(document, edit.list);
    const differs = edit.remove
      ? removeFrom(list, canonical, edit)
      : putInto(list, canonical, { ...edit, now }, document);
    // What the new file begins with is not in force for servers before it is written.
    const changed = differs || (before === undefined && !edit.remove);
    const after = document.toString({ lineWidth: 0 });
    const rules = parsePolicy(after);
    if (changed) await write(after);
    const created = changed && before === undefined;
    const keptLocalhost = created && rules.allow.some(({ text }) => text === 'localhost') && edit.tenant === undefined;
    return {
      changed,
      created,
      keptLocalhost,
      entry: canonical,
      stillDeniedBy: stillDenied(rules, edit, { canonical, matcher: entry.matcher }),
    };
  });
}

/** Deny entries that keep winning over what the edit allows. */
function stillDenied(
  rules: WrittenRules,
  { list, remove, tenant }: PolicyEdit,
  { canonical, matcher }: { readonly canonical: string; readonly matcher: Matcher },
): readonly string[] {
  if (list !== 'allow' || remove) return [];
  const { deny } = tenant === EVERY_TENANT ? rules : rulesFor(rules, tenant ?? LOCAL_TENANT);
  return coveringDenies(deny, canonical, matcher);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new AppError('config_invalid', 'The policy file cannot be read.', { cause: error });
  }
}

/** The new text's file is the lock too: two edits at once would lose one, and a lost deny is an open door. */
async function alone<T>(path: string, edit: (write: (text: string) => Promise<void>) => Promise<T>): Promise<T> {
  const draft = `${path}.edit`;
  const handle = await open(draft, 'wx', 0o600).catch((cause: unknown) => {
    throw new AppError('config_invalid', `${draft} cannot be created.`, {
      cause,
      hint: 'Another edit may be under way; if none is, delete that file. Else check the permissions of the folder.',
    });
  });
  let isRenamed = false;
  try {
    return await edit(async (text) => {
      await handle.writeFile(text);
      await handle.sync();
      await keepAccess(handle, path);
      await rename(draft, path);
      isRenamed = true;
    });
  } finally {
    await handle.close();
    if (!isRenamed) await rm(draft, { force: true });
  }
}

/**
 * Who could read the file before can read it after: a service of another user denies everything while it cannot. A new
 * file, and one whose group we may not give it, is 0600.
 */
async function keepAccess(handle: FileHandle, path: string): Promise<void> {
  await handle.chmod(0o600);
  const before = await stat(path).catch(() => undefined);
  if (before === undefined) return;
  const given = handle.chown(before.uid, before.gid).then(() => handle.chmod(before.mode & 0o777));
  await given.catch(() => undefined);
}

function listIn(document: Document.Parsed, key: string): YAMLSeq {
  const found = document.get(key);
  if (isSeq(found)) return found;
  const made = document.createNode([]);
  document.set(key, made);
  if (!isSeq(made)) throw new AppError('config_invalid', `policy.yaml: ${key} is no list.`);
  return made;
}

/** The canonical form of an item of either shape, so that two spellings of one entry are one. */
function canonicalOf(item: unknown): string | undefined {
  const target = isMap(item) ? item.get('target') : isScalar(item) ? item.value : undefined;
  const entry = typeof target === 'string' ? parseEntry(target) : undefined;
  return entry?.ok ? entry.canonical : undefined;
}

/** Whom an item is for; undefined where it does not say. */
function tenantsOf(item: unknown): readonly string[] | undefined {
  const written = isMap(item) ? item.get('tenants') : undefined;
  if (!isSeq(written)) return undefined;
  return written.items.map((tenant) => String(isScalar(tenant) ? tenant.value : tenant));
}

type Whose = Pick<PolicyEdit, 'list' | 'tenant'>;

/** True when the item is for the tenant of the edit and nobody else. */
function isOwn(item: unknown, { list, tenant }: Whose): boolean {
  const tenants = tenantsOf(item);
  const [only, ...others] = tenants ?? [];
  if (tenants === undefined) return tenant === undefined || (list === 'allow' && tenant === LOCAL_TENANT);
  return others.length === 0 && only === (tenant ?? (list === 'allow' ? LOCAL_TENANT : EVERY_TENANT));
}

/** True when the item holds for the tenant of the edit, and perhaps for others. */
function holdsFor(item: unknown, { list, tenant }: Whose): boolean {
  const tenants = tenantsOf(item);
  if (tenants === undefined) return list === 'deny' || (tenant ?? LOCAL_TENANT) === LOCAL_TENANT;
  return tenants.includes(EVERY_TENANT) || tenants.includes(tenant ?? (list === 'allow' ? LOCAL_TENANT : EVERY_TENANT));
}

/** @throws AppError invalid_request when the entry is for others too, who would lose it */
function removeFrom(list: YAMLSeq, canonical: string, whose: Whose): boolean {
  const kept = list.items.filter((item) => canonicalOf(item) !== canonical || !isOwn(item, whose));
  const shared = kept.find((item) => canonicalOf(item) === canonical && holdsFor(item, whose));
  if (shared !== undefined) {
    const who = tenantsOf(shared)?.join(', ') ?? 'everybody';
    throw new AppError('invalid_request', `${canonical} is in ${whose.list} for ${who} together.`, {
      hint: 'Change its tenants in policy.yaml.',
    });
  }
  if (kept.length === list.items.length) return false;
  list.items = kept;
  return true;
}

/** A new entry goes to the end; one that is there gets the note and the date it was given. */
function putInto(
  list: YAMLSeq,
  canonical: string,
  edit: PolicyEdit & { now: number },
  document: Document.Parsed,
): boolean {
  const extra = {
    ...(edit.note === undefined ? {} : { note: edit.note }),
    ...(edit.expires === undefined ? {} : { expires: edit.expires }),
  };
  const same = list.items.filter((item) => canonicalOf(item) === canonical);
  // One that others share is left as it is: a date for one tenant is none for the others.
  if (Object.keys(extra).length === 0 && same.some((item) => !isOwn(item, edit) && isOpen(item, edit))) return false;
  const index = list.items.findIndex((item) => canonicalOf(item) === canonical && isOwn(item, edit));
  const found = list.items[index];
  if (index === -1) {
    list.flow = false;
    const tenants = edit.tenant === undefined ? {} : { tenants: [edit.tenant] };
    list.add(document.createNode({ target: canonical, ...extra, ...tenants }));
    return true;
  }
  if (isMap(found)) return updated(found, extra, edit);
  if (Object.keys(extra).length === 0) return false;
  list.items[index] = document.createNode({ target: canonical, ...extra });
  return true;
}

/** Changes what was given; without a date, one that has passed goes. */
function updated(found: YAMLMap, extra: Readonly<Record<string, string>>, edit: PolicyEdit & { now: number }): boolean {
  const differing = Object.entries(extra).filter(([key, value]) => found.get(key) !== value);
  const outdated = edit.expires === undefined && isOver(found.get('expires'), edit.now);
  for (const [key, value] of differing) found.set(key, value);
  if (outdated) found.delete('expires');
  return differing.length > 0 || outdated;
}

const isOpen = (item: unknown, edit: Whose & { now: number }): boolean =>
  holdsFor(item, edit) && !(isMap(item) && isOver(item.get('expires'), edit.now));

const isOver = (expires: unknown, now: number): boolean => typeof expires === 'string' && lastMoment(expires) <= now;

/** Deny entries that keep closing all or part of what an entry allows. */
function coveringDenies(deny: readonly DenyRule[], canonical: string, matcher: Matcher): string[] {
  const target = matcher.suffix === undefined ? parseTarget(canonical) : undefined;
  const closes = (rule: Matcher): boolean =>
    (target !== undefined && deniesByName(rule, target)) ||
    (matcher.suffix !== undefined && rule.suffix !== undefined && `.${matcher.suffix}`.endsWith(`.${rule.suffix}`)) ||
    rule.ranges.some((range) => matcher.ranges.some((own) => overlap(range, own)));
  return deny.filter((rule) => closes(rule.matcher)).map(({ text }) => text);
}
