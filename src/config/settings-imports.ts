import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { Tenants } from '../model/caller.ts';

const ABSOLUTE = 'must be an absolute path (~ is not expanded here)';

const ImportFolder = z
  .union([z.string().min(1), z.strictObject({ path: z.string().min(1), tenants: Tenants })], {
    error: 'must be an absolute path, or { path: /an/absolute/path, tenants: [name] }',
  })
  .refine((folder) => isAbsolute(typeof folder === 'string' ? folder : folder.path), ABSOLUTE);

export const ImportFolders = z
  .array(ImportFolder)
  .max(100)
  .default([])
  .describe(
    "Folders `import_report` may read reports from, and nothing outside of them. Empty: none. A path alone is for the tenant `local`; for others write `{ path: /reports/acme, tenants: [acme] }`, `'*'` for all. In a variable by comma.",
  );
