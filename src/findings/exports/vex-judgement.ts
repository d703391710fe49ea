import type { Location } from '../../model/finding.ts';
import type { ExportedFinding } from './source.ts';
import { imageUrl, packageUrl } from './purl.ts';
import { locationUri, uriOfUrl } from './uri.ts';

export type VexStatus = 'affected' | 'under_investigation' | 'not_affected';

/**
 * Why a status holds, from what is worst for a product to what is best: of two findings of one vulnerability at one
 * product, the first speaks. What nobody accepted is not hidden by what somebody did.
 */
export const VEX_REASONS = ['open', 'accepted_risk', 'unconfirmed', 'mitigated', 'false_positive'] as const;
export type VexReason = (typeof VEX_REASONS)[number];

export interface VexJudgement {
  readonly status: VexStatus;
  readonly reason: VexReason;
  /** What to do, or why nothing is to be done. */
  readonly text: string;
}

const REPORT_DOUBTS = /suppress|false.positive|baseline: absent/i;

function remedy({ rule, occurrence }: ExportedFinding): string {
  const { package: pkg, fixed_version: fixed } = occurrence.location;
  if (fixed !== undefined && fixed !== '') return `Update ${pkg ?? 'it'} to ${fixed}.`;
  return rule.solution || 'The scanner names no remedy.';
}

/**
 * What a finding says about its product. A scanner's word makes a product `affected`, unless the scanner itself calls it a
 * guess; only a person's judgement makes it `not_affected`.
 */
export function judgementOf(finding: ExportedFinding): VexJudgement {
  const { suppression, rule, occurrence } = finding;
  switch (suppression?.status) {
    case 'false_positive':
      return {
        status: 'not_affected',
        reason: 'false_positive',
        text: `Judged a false positive: ${suppression.reason}`,
      };
    case 'mitigated':
      return { status: 'not_affected', reason: 'mitigated', text: suppression.reason };
    case 'accepted_risk': {
      const until = suppression.expires_at.slice(0, 10);
      return {
        status: 'affected',
        reason: 'accepted_risk',
        text: `Risk accepted until ${until}: ${suppression.reason}`,
      };
    }
    default:
  }
  if (rule.confidence === 'tentative')
    return { status: 'under_investigation', reason: 'unconfirmed', text: 'The scanner is not sure of it.' };
  if (occurrence.report_state !== undefined && REPORT_DOUBTS.test(occurrence.report_state))
    return {
      status: 'under_investigation',
      reason: 'unconfirmed',
      text: `The report says: ${occurrence.report_state}`,
    };
  return { status: 'affected', reason: 'open', text: remedy(finding) };
}

/** What a statement is about. */
export interface VexProduct {
  /** Absolute URI, the identity. */
  readonly id: string;
  readonly kind: 'package' | 'image' | 'host' | 'site' | 'file';
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  /** The image or host the package is in. */
  readonly within?: { readonly id: string; readonly purl?: string };
}

function imageProduct(image: string): VexProduct {
  const purl = imageUrl(image);
  const id = purl ?? locationUri({ image }) ?? 'urn:scanmux:image';
  return { id, kind: 'image', name: image, ...(purl && { purl }) };
}

function originProduct(url: string): VexProduct {
  const origin = /^https?:\/\/[^/?#]*/i.exec(url)?.[0] ?? url;
  const id = /^https?:\/\//i.test(origin) ? uriOfUrl(origin) : `urn:scanmux:site:${encodeURIComponent(origin)}`;
  return { id, kind: 'site', name: origin };
}

function outerProduct({ host, ip, image, url, file }: Location): VexProduct | undefined {
  if (image) return imageProduct(image);
  const name = host || ip;
  if (name) return { id: locationUri({ host: name }) ?? '', kind: 'host', name };
  if (url) return originProduct(url);
  return file
    ? { id: `file:///${locationUri({ file })?.replace(/^\/+/, '') ?? ''}`, kind: 'file', name: file }
    : undefined;
}

/**
 * The product a finding is about: the package (in its image or on its host), else the image, the host, the site or the
 * file. A finding without any place is about whatever was scanned.
 */
export function productOf({ occurrence, rule }: ExportedFinding, scanId: string): VexProduct {
  const { location } = occurrence;
  const outer = outerProduct(location);
  const purl = packageUrl(location, rule.rule_family);
  if (purl === undefined || location.package === undefined)
    return outer ?? { id: `urn:scanmux:${scanId}`, kind: 'site', name: 'what was scanned' };
  const within = outer && outer.kind !== 'file' ? { id: outer.id, ...(outer.purl && { purl: outer.purl }) } : undefined;
  return {
    id: purl,
    kind: 'package',
    name: location.package,
    ...(location.version && { version: location.version }),
    purl,
    ...(within && { within }),
  };
}
