import { z } from 'zod';
import { parseDocument } from 'yaml';
import { Tenants } from '../model/caller.ts';
import { AppError } from '../model/errors.ts';
import { Intensity } from '../model/scan.ts';
import { parseEntry } from './entry.ts';
import type { AllowRule, DenyRule, Matcher, WrittenRules } from './rules.ts';

const DAY_MS = 86_400_000;

/** The end of a `YYYY-MM-DD` in UTC, epoch milliseconds: an entry holds through its last day. */
export const lastMoment = (day: string): number => Date.parse(day) + DAY_MS;

const Expires = z.iso.date('must be a date like 2027-01-31').describe('Last day the entry holds, UTC.');

/** A plain string is an entry too. */
const written = (value: unknown): unknown => (typeof value === 'string' ? { target: value } : value);

const Note = z.string().max(500).optional().describe('Owner, ticket.');
const AllowEntry = z.preprocess(
  written,
  z.strictObject({
    target: z.string().describe('Address, CIDR, range, host, *.suffix or URL prefix.'),
    note: Note,
    max_intensity: Intensity.optional().describe('For this entry, instead of the one of the file.'),
    expires: Expires.optional(),
    tenants: Tenants.optional().describe("Whose scans it allows; without it those of `local`. '*': everybody's."),
  }),
);
const DenyEntry = z.preprocess(
  written,
  z.strictObject({
    target: z.string(),
    note: Note,
    tenants: Tenants.optional().describe("Whose scans it denies; without it everybody's."),
  }),
);

/** A key without a value is YAML for null. */
const listOf = <Entry extends z.ZodType>(entry: Entry) =>
  z.preprocess((value) => value ?? [], z.array(entry).max(10_000));

/** `policy.yaml`. */
const PolicyFile = z.strictObject({
  max_hosts: z.int().min(1).max(1_048_576).default(256).describe('Addresses one scan may cover.'),
  max_intensity: Intensity.default('standard'),
  allow: listOf(AllowEntry).prefault([]),
  deny: listOf(DenyEntry).prefault([]),
});
type PolicyFile = z.infer<typeof PolicyFile>;

/** The bounds and rules of a policy file. @throws AppError config_invalid, naming every wrong key */
export function parsePolicy(yamlText: string): WrittenRules {
  const result = PolicyFile.safeParse(readYaml(yamlText) ?? {});
  if (!result.success) throw new AppError('config_invalid', `policy.yaml: ${z.prettifyError(result.error)}`);
  return compile(result.data);
}

function readYaml(yamlText: string): unknown {
  const document = parseDocument(yamlText, { prettyErrors: true });
  const [first] = document.errors;
  if (first) throw new AppError('config_invalid', `policy.yaml: ${first.message}`);
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    const message = 'policy.yaml: it uses a YAML alias; write *.example.com in quotes.';
    throw new AppError('config_invalid', message, { cause });
  }
}

function compile(file: PolicyFile): WrittenRules {
  const wrong: string[] = [];
  const matcherAt = (place: string, text: string): Matcher => {
    const entry = parseEntry(text);
    if (entry.ok) return entry.matcher;
    wrong.push(`${place}: ${entry.reason}`);
    return { ranges: [] };
  };
  const allow = file.allow.map((entry, index): AllowRule => {
    const matcher = matcherAt(`allow[${index}].target`, entry.target);
    const { target: text, tenants } = entry;
    const rule = { text, matcher, tenants, maxIntensity: entry.max_intensity ?? file.max_intensity };
    return entry.expires === undefined ? rule : { ...rule, expiresAt: lastMoment(entry.expires) };
  });
  const deny = file.deny.map((entry, index): DenyRule => ({
    text: entry.target,
    tenants: entry.tenants,
    matcher: matcherAt(`deny[${index}].target`, entry.target),
  }));
  if (wrong.length > 0) throw new AppError('config_invalid', `policy.yaml: ${wrong.join(' ')}`);
  return { allow, deny, maxHosts: file.max_hosts, maxIntensity: file.max_intensity };
}
