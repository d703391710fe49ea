import { defineScript } from '../script.ts';

/** How long a request is known, should it be sent again: longer than any is waited for. */
const KNOWN_SECONDS = 120;
const KEPT_SECONDS = 35 * 86_400;

/** tenant, day, hosts, limit, id of the request. Returns 1 or 0, and what was used before. */
export const TAKE_HOSTS = defineScript(
  'take-hosts',
  'take',
  `
local at, asked = P .. 'hosts:' .. ARGV[3] .. ':' .. ARGV[2], P .. 'asked:' .. ARGV[6]
local before = redis.call('GET', asked)
if before then return {1, before} end
local used = tonumber(redis.call('GET', at) or '0')
if used + tonumber(ARGV[4]) > tonumber(ARGV[5]) then return {0, int(used)} end
redis.call('SET', at, int(used + tonumber(ARGV[4])), 'EX', ${KEPT_SECONDS})
redis.call('SET', asked, int(used), 'EX', ${KNOWN_SECONDS})
return {1, int(used)}
`,
);

/** tenant, day, hosts, id of the request. */
export const GIVE_BACK_HOSTS = defineScript(
  'give-back-hosts',
  'keep',
  `
local at, asked = P .. 'hosts:' .. ARGV[3] .. ':' .. ARGV[2], P .. 'asked:' .. ARGV[5]
local used = redis.call('GET', at)
if not used or redis.call('EXISTS', asked) == 1 then return 0 end
redis.call('SET', at, int(math.max(0, tonumber(used) - tonumber(ARGV[4]))), 'EX', ${KEPT_SECONDS})
redis.call('SET', asked, '', 'EX', ${KNOWN_SECONDS})
return 1
`,
);

/** tenant. Returns how many are queued, running and waiting for a retry. */
export const LIVE = defineScript(
  'live',
  'read',
  `
local count = 0
for _, state in ipairs({'queued', 'running', 'retrying'}) do
  count = count + redis.call('ZCARD', P .. 'list:' .. state .. ':' .. ARGV[2])
end
return count
`,
);

/** tenant, state, from, to: places in the list. Returns pool, and when it was queued where it is, of each. */
export const LIVE_POOLS = defineScript(
  'live-pools',
  'read',
  `
local found = {}
for _, id in ipairs(redis.call('ZRANGE', P .. 'list:' .. ARGV[3] .. ':' .. ARGV[2], ARGV[4], ARGV[5])) do
  local pool = redis.call('HGET', P .. 'scan:' .. id, 'pool')
  if pool then found[#found + 1] = {pool, redis.call('ZSCORE', P .. 'age:' .. pool, id) or ''} end
end
return found
`,
);
