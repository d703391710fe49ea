import { defineScript } from '../script.ts';
import { REMOVE, TAKING_OUT } from './cancel.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { REPLY } from './reply.ts';

/** pool or '' for all, offset, limit, states. Newest first. Returns the total and the records. */
export const BOARD = defineScript(
  'board',
  'read',
  `
-- Every scan was submitted or imported, once.
local function poolsSeen()
  local pools, isThere = {}, {}
  for _, name in ipairs(redis.call('HKEYS', P .. 'counters')) do
    local pool = string.match(name, '^submitted:(.*)$') or string.match(name, '^imported:(.*)$')
    if pool and not isThere[pool] then pools[#pools + 1] = pool end
    if pool then isThere[pool] = true end
  end
  return pools
end
local offset, limit = tonumber(ARGV[3]), tonumber(ARGV[4])
local pools = ARGV[2] ~= '' and {ARGV[2]} or poolsSeen()
local total, newest = 0, {}
for i = 5, #ARGV do
  for _, pool in ipairs(pools) do
    local board = P .. 'board:' .. ARGV[i] .. ':' .. pool
    total = total + redis.call('ZCARD', board)
    local found = offset + limit > 0 and redis.call('ZREVRANGE', board, 0, offset + limit - 1, 'WITHSCORES') or {}
    for j = 1, #found, 2 do newest[#newest + 1] = {found[j], tonumber(found[j + 1])} end
  end
end
table.sort(newest, function(a, b) return a[2] > b[2] end)
local page = {}
for i = offset + 1, math.min(offset + limit, #newest) do
  local scan = load(newest[i][1])
  if scan and not isNewer(scan) then page[#page + 1] = reply(scan) end
end
return {total, page}
`,
  [RECORD, PLACES, REPLY],
);

/** id */
export const FIND = defineScript(
  'find',
  'read',
  `
local scan = load(ARGV[2])
return scan and reply(known(scan))
`,
  [RECORD, PLACES, REPLY],
);

export const COUNTERS = defineScript('counters', 'read', `return redis.call('HGETALL', P .. 'counters')`);

/** Numbers of scans by state and pool, since when the oldest waits by pool, and running scans by instance. */
export const GAUGES = defineScript(
  'gauges',
  'read',
  `
local counts, oldest = redis.call('HGETALL', P .. 'counts'), {}
for i = 1, #counts, 2 do
  local pool = string.match(counts[i], '^queued:(.*)$')
  local first = pool and redis.call('ZRANGE', P .. 'age:' .. pool, 0, 0, 'WITHSCORES') or {}
  if first[2] then
    oldest[#oldest + 1] = pool
    oldest[#oldest + 1] = first[2]
  end
end
return {counts, oldest, redis.call('HGETALL', P .. 'active')}
`,
);

/**
 * request id, finished before, dead before, how many of a tenant stay ('' each for no such rule), most. Returns tenant
 * and id of each that is gone; the same again when the reply was lost.
 */
export const REMOVE_FINISHED = defineScript(
  'removeFinished',
  'keep',
  `
local answered = redis.call('GET', P .. 'removed:' .. ARGV[2])
if answered then return cjson.decode(answered) end
local finishedBefore, deadBefore = tonumber(ARGV[3]), tonumber(ARGV[4])
local keep, limit, due = tonumber(ARGV[5]), tonumber(ARGV[6]), {}

-- The oldest of a set that are older than that, or too many. Those of newer programs are left to them.
local function collect(zset, before, over)
  local rank, mine = 0, 0
  while mine < limit do
    local found = redis.call('ZRANGE', zset, rank, rank + 199, 'WITHSCORES')
    if #found == 0 then return end
    for i = 1, #found, 2 do
      local age = tonumber(found[i + 1])
      if not ((before and age < before) or rank < over) or mine == limit then return end
      local scan = load(found[i])
      if not scan or not isNewer(scan) then
        due[#due + 1] = {age, found[i]}
        mine = mine + 1
      end
      rank = rank + 1
    end
  end
end

for _, tenant in ipairs(redis.call('SMEMBERS', P .. 'tenants')) do
  local over = keep and redis.call('ZCARD', P .. 'done:' .. tenant) - keep or 0
  if finishedBefore or over > 0 then collect(P .. 'done:' .. tenant, finishedBefore, over) end
  if deadBefore then collect(P .. 'dead:' .. tenant, deadBefore, 0) end
end
table.sort(due, function(a, b)
  if a[1] ~= b[1] then return a[1] < b[1] end
  return a[2] < b[2]
end)
local gone = {}
for i = 1, math.min(limit, #due) do
  local scan = load(due[i][2])
  if scan then
    gone[#gone + 1] = scan.tenant
    gone[#gone + 1] = scan.id
    remove(scan)
  end
end
if #gone > 0 then redis.call('SET', P .. 'removed:' .. ARGV[2], cjson.encode(gone), 'PX', 60000) end
return gone
`,
  [...TAKING_OUT, REMOVE],
);

/**
 * name, holder, milliseconds. By the clock of Redis as the callers know it: where that leaps two may hold a turn for a
 * while, so nothing may rest on it but that work is not done twice for nothing.
 */
export const TAKE_TURN = defineScript(
  'takeTurn',
  'take',
  `
local key, holder, length = P .. 'turn:' .. ARGV[2], ARGV[3], tonumber(ARGV[4])
local held = redis.call('HMGET', key, 'holder', 'until')
if held[1] and held[1] ~= holder then
  local left = tonumber(held[2]) - now
  if left > 0 and left <= length then return 0 end
end
redis.call('HSET', key, 'holder', holder, 'until', int(now + length))
return 1
`,
);

/** name, holder. */
export const RELEASE_TURN = defineScript(
  'releaseTurn',
  'keep',
  `
local key = P .. 'turn:' .. ARGV[2]
if redis.call('HGET', key, 'holder') == ARGV[3] then redis.call('DEL', key) end
return 1
`,
);
