import { z } from 'zod';

const HOST = /^(?:\*|(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::\d{1,5})?)$/i;

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

const isPlainUrl = (text: string): boolean => {
  if (text === '') return true;
  if (!URL.canParse(text)) return false;
  const { protocol, username, search, hash, pathname } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && search === '' && hash === '' && pathname === '/';
};

/** `scanmux serve`. */
export const HttpSettings = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(253)
    .default('127.0.0.1')
    .describe(
      'Address `scanmux serve` listens on. Anything but loopback needs API keys or an OIDC issuer, and TLS in front of it.',
    ),
  port: z.int().min(0).max(65_535).default(8_765).describe('Port `scanmux serve` listens on; 0 takes any.'),
  public_url: z
    .string()
    .max(500)
    .refine(isPlainUrl, 'must be an http(s) URL without a path, e.g. https://scanmux.example.com')
    .default('')
    .describe('How clients reach the server when a proxy stands before it: its host and origin are then allowed.'),
  allowed_hosts: z
    .array(z.string().max(260).regex(HOST, 'must be a host name or address, with or without a port'))
    .max(100)
    .default([])
    .describe(
      'More names the server may be called by (`Host` header), besides loopback names, the address it is reached at and `public_url`. Without a port: at any. `*` allows all, which gives up the protection against DNS rebinding.',
    ),
  allowed_origins: z
    .array(z.string().max(300).refine(isOrigin, 'must be an origin, e.g. https://console.example.com'))
    .max(100)
    .default([])
    .describe('Web pages that may call the server from a browser (`Origin` header; CORS). A foreign origin gets 403.'),
  trust_proxy: z
    .array(
      z
        .string()
        .max(60)
        .regex(/^(?:loopback|linklocal|uniquelocal|[0-9a-f.:]+(?:\/\d{1,3})?)$/i, 'must be an IP address or CIDR'),
    )
    .max(100)
    .default([])
    .describe('Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.'),
  allow_anonymous_loopback: z
    .boolean()
    .default(false)
    .describe(
      'Lets callers without a key in as the tenant `local`, without operator rights, and only while the server listens on loopback. Every program and user of the machine can then call it.',
    ),
  mcp_mode: z
    .enum(['auto', 'stateful', 'stateless'])
    .default('auto')
    .describe(
      'How `/mcp` keeps its clients. `stateful`: sessions, which live in one server. `stateless`: every request stands alone, answered as JSON, and any server behind a load balancer can take it. `auto`: sessions for those who begin with `initialize`, the other way for the rest.',
    ),
  max_sessions: z.int().min(1).max(100_000).default(2_000).describe('MCP sessions one server keeps.'),
  max_sessions_per_tenant: z
    .int()
    .min(1)
    .max(100_000)
    .default(500)
    .describe(
      'MCP sessions of one tenant. The oldest one that lies idle makes room; when none does, the answer is 429.',
    ),
  session_idle_seconds: z
    .number()
    .min(1)
    .max(86_400)
    .default(1_800)
    .describe('An MCP session without requests and streams ends after this long.'),
  max_body_kb: z.int().min(1).max(102_400).default(1_024).describe('Largest body of a request.'),
  header_timeout_seconds: z
    .number()
    .min(0.1)
    .max(600)
    .default(10)
    .describe('Time for the headers of a request to arrive.'),
  request_timeout_seconds: z.number().min(0.1).max(600).default(30).describe('Time for a whole request to arrive.'),
  max_connections: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20_000)
    .describe('Open connections of one server; more are closed at once.'),
  shutdown_grace_seconds: z
    .number()
    .min(0)
    .max(3_600)
    .default(20)
    .describe('After SIGTERM, time for requests in flight to be answered.'),
});
export type HttpSettings = z.infer<typeof HttpSettings>;
