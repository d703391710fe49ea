import { ResultsInput } from '../model/contract/results.ts';
import { ListScansInput } from '../model/contract/lists.ts';
import { AppError } from '../model/errors.ts';
import type { Ask } from '../scans/deps.ts';
import type { UseCases } from '../scans/use-cases.ts';

/** A resource as lists show it. */
export interface ListedResource {
  readonly uri: string;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly mimeType: string;
}

const JSON_TYPE = 'application/json';
const SCANNERS = 'scanmux://scanners';
const POLICY = 'scanmux://policy';
const LISTED_SCANS = 50;

export const RESOURCE_TEMPLATES = [
  {
    uriTemplate: 'scan://{scan_id}',
    name: 'scan',
    title: 'Status of a scan',
    description: 'What get_scan_status answers; can be subscribed to.',
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: 'scan://{scan_id}/findings{?cursor}',
    name: 'findings',
    title: 'Findings of a finished scan',
    description: 'What get_scan_results answers, most urgent first; next_cursor is the cursor of the next page.',
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: 'scan://{scan_id}/report/{format}',
    name: 'report',
    title: 'Report of a finished scan',
    description: 'What export_report writes, up to 4 MiB.',
    mimeType: 'application/octet-stream',
  },
] as const;

const FIXED: readonly ListedResource[] = [
  {
    uri: SCANNERS,
    name: 'scanners',
    title: 'Scanners',
    description: 'What list_scanners answers.',
    mimeType: JSON_TYPE,
  },
  {
    uri: POLICY,
    name: 'policy',
    title: 'What may be scanned',
    description: 'The scope in force and what this caller may do.',
    mimeType: JSON_TYPE,
  },
];

type Reference =
  | { readonly kind: 'scanners' | 'policy' }
  | { readonly kind: 'status'; readonly scanId: string }
  | { readonly kind: 'findings'; readonly scanId: string; readonly cursor?: string }
  | { readonly kind: 'report'; readonly scanId: string; readonly format: string };

const SCAN_URI = /^scan:\/\/(scan_[0-9a-z]{1,40})(?:\/(findings)(?:\?cursor=([^&#]*))?|\/report\/([a-z_]{1,40}))?$/;

/** Undefined for what is no resource of ours. */
export function parseResource(uri: string): Reference | undefined {
  if (uri === SCANNERS) return { kind: 'scanners' };
  if (uri === POLICY) return { kind: 'policy' };
  const [, scanId, findings, cursor, format] = SCAN_URI.exec(uri) ?? [];
  if (scanId === undefined) return undefined;
  if (format !== undefined) return { kind: 'report', scanId, format };
  if (findings === undefined) return { kind: 'status', scanId };
  const decoded = cursor ? unescaped(cursor) : undefined;
  return { kind: 'findings', scanId, ...(decoded ? { cursor: decoded } : {}) };
}

/** A cursor with a broken escape is no cursor of ours either way. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

interface Context {
  readonly scans: UseCases;
  readonly ask: Ask;
}

export interface ResourceText {
  readonly uri: string;
  readonly mimeType: string;
  readonly text: string;
}

/**
 * The text of a resource.
 * @throws AppError scan_not_found, scan_not_finished, cursor_invalid, invalid_request for an unknown URI, and what the use
 *   cases throw
 */
export async function readResource(uri: string, context: Context): Promise<ResourceText> {
  const reference = parseResource(uri);
  if (!reference) {
    throw new AppError('invalid_request', 'There is no such resource.', {
      hint: 'resources/list and resources/templates/list say which there are.',
    });
  }
  const { text, mediaType } = await contentOf(reference, context);
  return { uri, mimeType: mediaType, text };
}

const json = (value: object) => ({ text: JSON.stringify(value), mediaType: JSON_TYPE });

async function contentOf(reference: Reference, { scans, ask }: Context) {
  switch (reference.kind) {
    case 'scanners':
      return json(await scans.listScanners({}, ask));
    case 'policy':
      return json(await scans.describeScope({}, ask));
    case 'status':
      return json(await scans.status({ scan_id: reference.scanId }, ask));
    case 'findings': {
      const { scanId: scan_id, cursor } = reference;
      return json(
        await scans.results(ResultsInput.parse({ scan_id, ...(cursor === undefined ? {} : { cursor }) }), ask),
      );
    }
    case 'report':
      return scans.readReport({ scan_id: reference.scanId, format: reference.format }, ask);
  }
}

/** What there always is, then the caller's scans, newest first, in pages. @throws AppError cursor_invalid */
export async function listResources(
  cursor: string | undefined,
  { scans, ask }: Context,
): Promise<{ readonly resources: readonly ListedResource[]; readonly nextCursor?: string }> {
  const input = ListScansInput.parse({ limit: LISTED_SCANS, ...(cursor === undefined ? {} : { cursor }) });
  const page = await scans.listScans(input, ask);
  const listed = page.scans.map(({ scan_id: scanId, name, state, engine, targets }): ListedResource => ({
    uri: `scan://${scanId}`,
    name: scanId,
    title: name ?? targets.slice(0, 3).join(', '),
    description: `${state}, ${engine}`,
    mimeType: JSON_TYPE,
  }));
  return {
    resources: [...(cursor === undefined ? FIXED : []), ...listed],
    ...(page.next_cursor === undefined ? {} : { nextCursor: page.next_cursor }),
  };
}
