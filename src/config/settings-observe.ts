import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. */
const AddressRange = z.string().refine((text) => {
  const [address = '', prefix, ...more] = text.split('/');
  const longest = { 4: 32, 6: 128 }[isIP(address)];
  if (longest === undefined || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= longest);
}, 'must be an IP address or a range like 192.0.2.0/24');

/** Who may read `/metrics` besides operators of the service. */
export const MetricsSettings = z.strictObject({
  token_file: z
    .string()
    .max(4_096)
    .refine((file) => file === '' || isAbsolute(file), 'must be an absolute path (~ is not expanded here)')
    .default('')
    .describe(
      'File with a token that may read `/metrics` and nothing else, for the `credentials_file` of Prometheus. Read anew with every scrape.',
    ),
  allow_from: z
    .array(AddressRange)
    .max(100)
    .default([])
    .describe('Addresses and ranges that may read `/metrics` without a token. In a variable by comma.'),
});
export type MetricsSettings = z.infer<typeof MetricsSettings>;
