import { defineScript } from '../script.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { TIME } from './time.ts';
import { WORKERS } from './workers.ts';

const NEXT = `
local SHOWN, FEW, MOST_LOOKED_AT = 10, 200, 2000

local function waiting(scan)
  return {scan.id, scan.pool, scan.priority, scan.round, scan.ticket}
end

-- A tenant with few waiting scans: all of them. Their order is made by the reader.
local function allOf(tenant)
  local found = {}
  for _, id in ipairs(redis.call('ZRANGE', P .. 'list:queued:' .. tenant, 0, -1)) do
    local scan = load(id)
    if scan then found[#found + 1] = waiting(scan) end
  end
  return found
end

-- A tenant with many has some of them near the front, because tenants take turns.
local function firstOf(tenant, zset, found)
  local shown = 0
  for from = 0, MOST_LOOKED_AT - 1, 100 do
    local names = redis.call('ZRANGE', zset, from, from + 99)
    for _, name in ipairs(names) do
      local scan = load(idOf(name))
      if scan and scan.tenant == tenant then
        found[#found + 1] = waiting(scan)
        shown = shown + 1
        if shown == SHOWN then return end
      end
    end
    if #names < 100 then return end
  end
end

local function nextOf(tenant, pools)
  if redis.call('ZCARD', P .. 'list:queued:' .. tenant) <= FEW then return allOf(tenant) end
  local found = {}
  for _, pool in ipairs(pools) do
    firstOf(tenant, P .. 'free:' .. pool, found)
    firstOf(tenant, P .. 'bound:' .. pool, found)
  end
  return found
end
`;

/**
 * tenant, pool or ''. Returns numbers of scans by state and pool, the tenant's dead letters by pool, since when the
 * oldest waits by pool, workers, and the tenant's next scans.
 */
export const STATUS = defineScript(
  'status',
  'read',
  `
local counts, pools, oldest = redis.call('HGETALL', P .. 'counts'), {}, {}
for i = 1, #counts, 2 do
  local pool = string.match(counts[i], '^queued:(.*)$')
  if pool and (ARGV[3] == '' or pool == ARGV[3]) then
    pools[#pools + 1] = pool
    local first = redis.call('ZRANGE', P .. 'age:' .. pool, 0, 0, 'WITHSCORES')
    if first[2] then
      oldest[#oldest + 1] = pool
      oldest[#oldest + 1] = first[2]
    end
  end
end
return {counts, redis.call('HGETALL', P .. 'dead_of:' .. ARGV[2]), oldest, seenWorkers(), nextOf(ARGV[2], pools)}
`,
  [RECORD, PLACES, TIME, WORKERS, NEXT],
);
