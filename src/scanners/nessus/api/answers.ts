import { z } from 'zod';

/**
 * What we rely on in answers of Nessus 8 to 10 and Tenable Vulnerability Management; the rest is ignored on purpose.
 * Sources: bodies recorded by VulnWhisperer-tests, nessus-client-go and nessie; see docs/engines/nessus.md.
 */

/** Numbers at Nessus, numbers or UUIDs at Tenable. Safe in a path. */
export const Id = z.union([z.int().min(0), z.string().regex(/^[\w-]{1,100}$/)]).transform((id) => String(id));

/** Lists are `null` when there is nothing in them. An entry that cannot be understood is left out. */
const listOf = <T>(item: z.ZodType<T>) =>
  z
    .array(z.unknown())
    .nullish()
    .transform((items) =>
      (items ?? []).flatMap((entry) => {
        const parsed = item.safeParse(entry);
        return parsed.success ? [parsed.data] : [];
      }),
    );

/** Present where it is a usable number; anything else says nothing. */
const number = z.number().optional().catch(undefined);
const text = z.string().max(10_000).optional().catch(undefined);
const uuid = z.string().max(200).optional().catch(undefined);
const id = Id.optional().catch(undefined);
const status = z
  .string()
  .transform((word) => word.trim().toLowerCase())
  .catch('');

export const Status = z.object({ status: z.string().catch(''), progress: z.unknown().optional() });

const Features = z.object({ scan_api: z.boolean().optional().catch(undefined) });

export const Properties = z.object({
  nessus_type: text,
  server_version: text,
  nessus_ui_version: text,
  license: z
    .object({ type: text, name: text, features: Features.optional().catch(undefined) })
    .nullish()
    .catch(undefined),
  features: Features.nullish().catch(undefined),
});
export type Properties = z.infer<typeof Properties>;

/** Whether the licence lets scans be started; a server that does not say is believed to. */
export const allowsControl = (properties: Properties | undefined): boolean =>
  (properties?.license?.features?.scan_api ?? properties?.features?.scan_api) !== false;

export const Session = z.object({ username: text, permissions: number });

export const Folder = z.object({ id: Id, name: z.string(), type: z.string().catch('custom') });
export type Folder = z.infer<typeof Folder>;
export const Folders = z.object({ folders: listOf(Folder) });

export const Templates = z.object({
  templates: listOf(z.object({ uuid: z.string().regex(/^[\w-]{1,100}$/), name: z.string() })),
});

export const ListedScanner = z.object({ id: Id, uuid: id, name: z.string() });
export type ListedScanner = z.infer<typeof ListedScanner>;
export const ScannerList = z.object({ scanners: listOf(ListedScanner) });

export const ListedScan = z.object({
  id: Id,
  uuid,
  name: z.string(),
  owner: text,
  folder_id: id,
  status,
  /** Of the account that asks; 128: it is its own. */
  user_permissions: number,
  /** Seconds since 1970. */
  last_modification_date: number,
});
export type ListedScan = z.infer<typeof ListedScan>;
export const ScanList = z.object({ scans: listOf(ListedScan) });

export const CreatedScan = z.object({ scan: z.object({ id: Id }) });
export const Launched = z.object({ scan_uuid: uuid });

/** Nessus says `uuid`, Tenable `scan_uuid`. */
export const HistoryEntry = z
  .object({ history_id: Id, uuid, scan_uuid: uuid, status })
  .transform(({ scan_uuid: other, ...entry }) => ({ ...entry, uuid: entry.uuid ?? other }));
export const HostProgress = z.object({ scanprogresscurrent: number, scanprogresstotal: number, progress: text });

export const Details = z.object({
  info: z.object({ name: text, status, uuid }),
  hosts: listOf(HostProgress),
  vulnerabilities: listOf(z.object({ count: number })),
  history: listOf(HistoryEntry),
});
export type Details = z.infer<typeof Details>;

/** The editor shows what the list does not: the description, and which credentials there are. */
export const Editor = z.object({
  uuid: text,
  settings: z
    .object({ basic: z.object({ inputs: listOf(z.object({ id: z.string(), default: z.unknown().optional() })) }) })
    .optional()
    .catch(undefined),
  credentials: z
    .object({
      data: listOf(z.object({ types: listOf(z.object({ instances: listOf(z.object({ id: Id })) })) })),
    })
    .optional()
    .catch(undefined),
});

/** A scan as it was written. */
export interface ScanConfig {
  readonly template: string | undefined;
  readonly name: string | undefined;
  readonly description: string | undefined;
  readonly targets: string | undefined;
  /** Undefined: it does not say. */
  readonly credentials: readonly string[] | undefined;
}

export function scanConfig({ uuid, settings, credentials }: z.infer<typeof Editor>): ScanConfig {
  const inputs = settings?.basic.inputs ?? [];
  const input = (name: string): string | undefined => {
    const found = inputs.find((field) => field.id === name)?.default;
    return typeof found === 'string' ? found : undefined;
  };
  const kept = credentials?.data.flatMap(({ types }) => types.flatMap(({ instances }) => instances));
  return {
    template: uuid,
    name: input('name'),
    description: input('description'),
    targets: input('text_targets'),
    credentials: kept?.map((credential) => credential.id),
  };
}

/** An id as the scanner wrote it: numbers at Nessus. */
export const wireId = (written: string): string | number => (/^\d{1,15}$/.test(written) ? Number(written) : written);

const token = z
  .string()
  .regex(/^[\w-]{1,200}$/)
  .optional()
  .catch(undefined);

/** Older versions call the token `temp_token`. */
export const Export = z
  .object({ file: id, token, temp_token: token })
  .transform(({ temp_token: older, ...named }) => ({ ...named, token: named.token ?? older }));
export type Export = z.infer<typeof Export>;
export const ExportStatus = z.object({ status });

export const Uploaded = z.object({ fileuploaded: z.string().regex(/^[\w.-]{1,200}$/) });
/** Answers to writes that say nothing. */
export const Nothing = z.unknown();
