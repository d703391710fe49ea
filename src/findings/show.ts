import { AppError } from '../model/errors.ts';
import { bestCvss, UNTRUSTED_CAPS } from '../model/finding.ts';
import type { Location } from '../model/finding.ts';
import { charactersLeftOut } from '../model/untrusted.ts';
import type { Detail, Finding, ShownFinding } from './findings.ts';

const SHORT_TEXT = 300;

const shorten = (text: string | undefined): string | undefined =>
  text !== undefined && text.length > SHORT_TEXT
    ? `${text.slice(0, SHORT_TEXT - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
    : text;

/** One line that says where: a URL, `host:port/protocol`, or what there is of `image file:line package version`. */
export function placeText(location: Location): string {
  const { url, method, parameter, file, line, image, package: pkg, version } = location;
  if (url !== undefined) return [method, url, parameter && `(${parameter})`].filter(Boolean).join(' ');
  const inFile = file === undefined || line === undefined ? file : `${file}:${line}`;
  if (file !== undefined || image !== undefined || pkg !== undefined)
    return [image, inFile, pkg, pkg && version].filter(Boolean).join(' ');
  return networkText(location);
}

function networkText({ host, ip, port, protocol }: Location): string {
  const name = host ?? ip ?? '';
  if (port === undefined) return name;
  return `${name.includes(':') ? `[${name}]` : name}:${port}${protocol === undefined ? '' : `/${protocol}`}`;
}

const PARTS = {
  minimal: ({ finding_id, title, severity, location, report_state, suppression }: Finding) => ({
    finding_id,
    title,
    severity,
    place: placeText(location),
    // What the report itself takes back must not read as a plain finding.
    report_state,
    suppression,
  }),
  brief: (finding: Finding) => ({
    rule_id: finding.rule_id,
    cvss_score: bestCvss(finding),
    epss: finding.epss,
    cves: finding.cves,
    kev: finding.kev || undefined,
    exploit_available: finding.exploit_available || undefined,
  }),
  summary: (finding: Finding) => ({
    description: shorten(finding.description),
    solution: shorten(finding.solution),
    severity_rated: finding.severity_rated ? undefined : false,
    injection_signals: finding.injection_signals,
  }),
} as const;

const isSaid = (value: unknown): boolean =>
  value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);

const said = (shown: ShownFinding): ShownFinding =>
  Object.fromEntries(Object.entries(shown).filter(([, value]) => isSaid(value)));

const TEXTS = ['output', 'banner', 'title', 'response'] as const;

/** What its untrusted texts lost to their caps when the report was read, in the words of `cut`. */
const cutOnTheWayIn = ({ untrusted }: Finding): string[] =>
  TEXTS.flatMap((name) => {
    const lost = charactersLeftOut(untrusted[name] ?? '', UNTRUSTED_CAPS[name]);
    return lost === undefined ? [] : [`untrusted.${name}: ${lost} characters were left out when the report was read`];
  });

const everything = (finding: Finding): ShownFinding => ({
  ...PARTS.minimal(finding),
  ...finding,
  cvss_score: bestCvss(finding),
  cut: cutOnTheWayIn(finding),
});

/** Every key `fields` may name, in the order of `full`. */
export const FIELD_NAMES = [
  'finding_id',
  'title',
  'severity',
  'place',
  'rule_id',
  'rule_family',
  'engine',
  'fingerprint',
  'severity_source',
  'severity_rated',
  'confidence',
  'description',
  'solution',
  'references',
  'cvss_score',
  'cvss',
  'cves',
  'cwes',
  'epss',
  'epss_source',
  'vpr',
  'kev',
  'kev_source',
  'exploit_available',
  'location',
  'discriminator',
  'compliance',
  'report_state',
  'suppression',
  'untrusted',
  'injection_signals',
] as const;

/** @throws AppError invalid_request naming the valid fields */
export function checkFields(fields: readonly string[] | undefined): void {
  const known: ReadonlySet<string> = new Set(FIELD_NAMES);
  const unknown = fields?.filter((field) => !known.has(field)) ?? [];
  if (unknown.length === 0) return;
  throw new AppError(
    'invalid_request',
    `fields has no ${unknown
      .slice(0, 5)
      .map((field) => JSON.stringify(field.slice(0, 60)))
      .join(', ')}.`,
    {
      hint: `Valid fields: ${FIELD_NAMES.join(', ')}.`,
    },
  );
}

/** A finding as the detail shows it, or the asked-for fields with its id and suppression. What is not known is left out. */
export function showFinding(finding: Finding, detail: Detail, fields: readonly string[] | undefined): ShownFinding {
  if (fields !== undefined && fields.length > 0) {
    const all = everything(finding);
    // Whoever looks at single fields must still see that somebody judged the finding.
    const wanted = ['finding_id', ...fields, 'suppression', ...(fields.includes('untrusted') ? ['cut'] : [])];
    return said(Object.fromEntries(wanted.map((field) => [field, all[field]])));
  }
  switch (detail) {
    case 'minimal':
      return said(PARTS.minimal(finding));
    case 'brief':
      return said({ ...PARTS.minimal(finding), ...PARTS.brief(finding) });
    case 'summary':
      return said({ ...PARTS.minimal(finding), ...PARTS.brief(finding), ...PARTS.summary(finding) });
    case 'full':
      return said(everything(finding));
  }
}
