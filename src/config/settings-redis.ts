import { isAbsolute } from 'node:path';
import { z } from 'zod';

const filePath = z.string().max(4_096).refine(isAbsolute, 'must be an absolute path (~ is not expanded)');

const hostAndPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d{1,5})?$/, 'must be host, host:port or [IPv6]:port, without user or scheme');

const Tls = z.strictObject({
  ca_file: filePath
    .optional()
    .describe('PEM file of the authority that signed the certificate of Redis. Default: those Node trusts.'),
  cert_file: filePath.optional().describe('PEM certificate with which scanmux names itself to Redis.'),
  key_file: filePath.optional().describe('PEM key of that certificate.'),
  server_name: z
    .string()
    .regex(/^[\w.-]{1,253}$/, 'must be a host name')
    .optional()
    .describe('Name the certificate of Redis is held against. Default: the host of the URL.'),
});

/** Section `redis` of scanmux.yaml. What is wrong in combination is told when the connection is made from it. */
export const RedisSettings = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(4_096)
    .optional()
    .describe(
      'The queue is in this Redis instead of a file: redis://, rediss:// (TLS) or redis+sentinel://. Also read from `REDIS_URL`. See docs/operations.md.',
    ),
  username: z.string().min(1).max(256).optional().describe('ACL user, when the URL names none.'),
  password_file: filePath
    .optional()
    .describe('File whose first line is the password, when the URL holds none, e.g. a Docker or Kubernetes secret.'),
  cluster: z.boolean().default(false).describe('The URL names nodes of a Redis Cluster, by comma.'),
  sentinels: z
    .array(hostAndPort)
    .max(100)
    .default([])
    .describe('Sentinels (host:port) that know where the master is. In a variable by comma.'),
  master_name: z.string().min(1).max(256).default('mymaster').describe('What the sentinels call the master.'),
  sentinel_username: z.string().min(1).max(256).optional().describe('ACL user of the sentinels themselves.'),
  sentinel_password_file: filePath.optional().describe('File with the password of the sentinels themselves.'),
  tls: Tls.prefault({}).describe('How TLS is spoken; used with rediss:// and rediss+sentinel://.'),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,40}$/, 'must be 1 to 40 letters, digits, _ and -')
    .default('scanmux')
    .describe('Every key begins with it, in braces, so that one cluster node holds all of them. One for each queue.'),
  lease_seconds: z
    .number()
    .min(5)
    .max(3_600)
    .default(15)
    .describe(
      'With Redis, instead of worker.lease_seconds: a scan whose worker is silent this long is given to another.',
    ),
});
export type RedisSettings = z.infer<typeof RedisSettings>;

export const AllowVolatileRedis = z
  .boolean()
  .default(false)
  .describe('Start although Redis may lose accepted scans (no append-only file, eviction): a warning, not an error.');
