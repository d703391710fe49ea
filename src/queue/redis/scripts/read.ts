import { defineScript } from '../script.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { REPLY } from './reply.ts';

const PARTS = [RECORD, PLACES, REPLY];

/** tenant, id */
export const GET = defineScript(
  'get',
  'read',
  `
local scan = find(ARGV[2], ARGV[3])
return scan and reply(scan)
`,
  PARTS,
);

/** tenant, id, after, most. Returns created, origin and what is stored from there on. */
export const EVENTS = defineScript(
  'events',
  'read',
  `
local scan = find(ARGV[2], ARGV[3])
if not scan then return nil end
-- Event 1 is not stored, so event n is at n - 2.
local from = math.max(0, tonumber(ARGV[4]) - 1)
return {scan.created, scan.origin or 'run', redis.call('LRANGE', P .. 'events:' .. scan.id, from, from + ARGV[5] - 1)}
`,
  PARTS,
);

/** tenant and id of each scan. Returns the number of its last event, 0 for an unknown one. */
export const LAST_EVENTS = defineScript(
  'lastEvents',
  'read',
  `
local last = {}
for i = 2, #ARGV, 2 do
  local tenant = redis.call('HGET', P .. 'scan:' .. ARGV[i + 1], 'tenant')
  last[#last + 1] = tenant == ARGV[i] and seqOf(ARGV[i + 1]) or 0
end
return last
`,
  PARTS,
);

/** How many events there were of all scans. */
export const TOLD = defineScript('told', 'read', `return tonumber(redis.call('GET', P .. 'told') or 0)`);

/** tenant, most. Newest first. */
export const DEAD_LETTERS = defineScript(
  'deadLetters',
  'read',
  `
local found = {}
for _, id in ipairs(redis.call('ZREVRANGE', P .. 'dead:' .. ARGV[2], 0, ARGV[3] - 1)) do
  local scan = load(id)
  if scan and not isNewer(scan) then found[#found + 1] = reply(scan) end
end
return found
`,
  PARTS,
);

/** ids. Returns for each: whether it is there, its epoch when an attempt may go on, the epoch of its visible result. */
export const REFERENCED = defineScript(
  'referenced',
  'read',
  `
local found = {}
for i = 2, #ARGV do
  local scan = load(ARGV[i])
  local mayGoOn = scan and (scan.state == 'running' or scan.phase or isNewer(scan))
  found[#found + 1] = {scan and 1 or 0, mayGoOn and scan.epoch or '', scan and scan.result_epoch or ''}
end
return found
`,
  PARTS,
);

/** Instances (JSON by pool/instance) and the running scans on each. */
export const INSTANCES = defineScript('instances', 'read', `return redis.call('HVALS', P .. 'instances')`);
export const ACTIVE = defineScript('active', 'read', `return redis.call('HGETALL', P .. 'active')`);
/** name, JSON */
export const PUT_INSTANCE = defineScript(
  'putInstance',
  'keep',
  `return redis.call('HSET', P .. 'instances', ARGV[2], ARGV[3])`,
);

/** Live scans, all states, and the milliseconds until the next retry, or -1. */
export const LIVE_COUNT = defineScript(
  'liveCount',
  'read',
  `
local counts, live = redis.call('HGETALL', P .. 'counts'), 0
for i = 1, #counts, 2 do
  if string.sub(counts[i], 1, 5) ~= 'dead:' then live = live + tonumber(counts[i + 1]) end
end
return live
`,
);

/** The delays of a retry count from when the clock was set back, so both lists are asked. */
export const NEXT_RETRY = defineScript(
  'nextRetry',
  'read',
  `
local first = redis.call('ZRANGE', P .. 'retrying', 0, 0, 'WITHSCORES')
if #first == 0 then return -1 end
local ms = tonumber(first[2]) - now
local ahead = redis.call('ZRANGEBYSCORE', P .. 'retry_from', '(' .. int(now), '+inf', 'LIMIT', 0, 1000)
for _, id in ipairs(ahead) do
  local from = tonumber(redis.call('ZSCORE', P .. 'retry_from', id))
  ms = math.min(ms, tonumber(redis.call('ZSCORE', P .. 'retrying', id)) - from)
end
return math.max(0, ms)
`,
);

/** pool. Returns durations of the last finished scans and when each running one began. */
export const DURATIONS = defineScript(
  'durations',
  'read',
  `
local began, running = {}, redis.call('ZRANGE', P .. 'running:' .. ARGV[2], 0, -1, 'WITHSCORES')
for i = 2, #running, 2 do began[#began + 1] = running[i] end
return {redis.call('LRANGE', P .. 'durations:' .. ARGV[2], 0, -1), began}
`,
);
