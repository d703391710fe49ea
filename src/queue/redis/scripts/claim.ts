import { defineScript } from '../script.ts';
import { MOVE } from './move.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { REPLY } from './reply.ts';
import { TIDY } from './tidy.ts';
import { TIME } from './time.ts';
import { WORKERS } from './workers.ts';

const PICK = `
-- The first scan of a sorted set that this program knows how to run; the others are for newer ones.
local function first(zset)
  local from = 0
  while from < 100 do
    local names = redis.call('ZRANGE', zset, from, from + from)
    if #names == 0 then return nil end
    for _, name in ipairs(names) do
      local scan = load(idOf(name))
      if scan and not isNewer(scan) then return scan end
    end
    from = from + from + 1
  end
end

-- Rotation: the slot whose last scan is longest ago, in the order given where none had one.
local function longestRested(pool, free)
  local best, least
  for _, slot in ipairs(free) do
    local turn = tonumber(redis.call('HGET', P .. 'turns:' .. pool, slot.instance) or 0)
    if not least or turn < least then best, least = slot, turn end
  end
  return best
end

local function comesBefore(a, b)
  if a.held ~= b.held then return a.held == '1' end
  local x, y = score(a), score(b)
  if x ~= y then return x < y end
  return a.ticket < b.ticket
end

local function candidate(pool, slots)
  local best, where
  local function offer(scan, slot)
    if scan and (not best or comesBefore(scan, best)) then best, where = scan, slot end
  end
  local free = {}
  for _, slot in ipairs(slots) do
    local used = tonumber(redis.call('HGET', P .. 'active', pool .. '/' .. slot.instance) or 0)
    if used < slot.limit then free[#free + 1] = slot end
  end
  if redis.call('EXISTS', P .. 'bound:' .. pool) == 1 then
    -- An adoption still occupies its slot at the scanner. It goes before all others, so nobody gets that slot meanwhile.
    for _, slot in ipairs(slots) do offer(first(P .. 'held:' .. pair(pool, slot.instance)), slot) end
    for _, slot in ipairs(free) do offer(first(P .. 'tied:' .. pair(pool, slot.instance)), slot) end
  end
  local rested = longestRested(pool, free)
  if rested then offer(first(P .. 'free:' .. pool), rested) end
  return best, where
end

-- Across pools ranks say nothing: what already runs at its scanner first, then priority, then age.
local function pick(pools, names)
  local best, where
  for _, pool in ipairs(names) do
    local scan, slot = candidate(pool, pools[pool])
    local isBetter = scan and not best
    if scan and best then
      if scan.held ~= best.held then isBetter = scan.held == '1'
      elseif scan.priority ~= best.priority then isBetter = tonumber(scan.priority) < tonumber(best.priority)
      else isBetter = tonumber(scan.n) < tonumber(best.n) end
    end
    if isBetter then best, where = scan, slot end
  end
  return best, where
end

local function take(scan, slot, worker, request)
  if not scan.held then
    local turns = P .. 'turns:' .. scan.pool
    redis.call('HSET', turns, slot.instance, redis.call('HINCRBY', turns, '', 1))
  end
  scan.worker = worker
  -- The first start of all attempts: the time limit of a scan runs on whoever runs it.
  local facts = {
    epoch = tonumber(scan.epoch or 0) + 1, attempt = tonumber(scan.attempt or 0) + 1, instance = slot.instance,
    started = scan.started or now, held = false, claim = request,
  }
  serve(scan)
  move(scan, 'running', facts, scan.phase and {} or {progress = false, external = false})
  count('started:' .. scan.pool, 1)
end
`;

/**
 * One step: what is due is tidied, then one scan and one slot are taken together. Only when nothing could start does
 * anything expire. ARGV: worker, request id, slots (JSON), lost workers with their beats (JSON), most leases a scan may lose, patience with adoptions in milliseconds, hours until a scan expires.
 */
export const CLAIM = defineScript(
  'claim',
  'keep',
  `
local worker, request, slots = ARGV[2], ARGV[3], cjson.decode(ARGV[4])

announce(worker, 0)
-- The reply of the last time was lost: what it took is still this worker's, who does not know.
local before = redis.call('HGET', P .. 'owned:' .. worker, request)
local taken = before and load(before)
local more = false
if not taken then
  local pools, names = {}, {}
  for _, slot in ipairs(slots) do
    if not pools[slot.pool] then
      pools[slot.pool] = {}
      names[#names + 1] = slot.pool
    end
    table.insert(pools[slot.pool], slot)
  end
  more = reclaim(cjson.decode(ARGV[5]), tonumber(ARGV[6]))
  wakeRetries()
  letGo(pools, tonumber(ARGV[7]))
  local slot
  taken, slot = pick(pools, names)
  if taken then
    take(taken, slot, worker, request)
  else
    more = expire(tonumber(ARGV[8])) or more
  end
end
return {taken and reply(taken) or false, more and 1 or 0, seenWorkers()}
`,
  [RECORD, PLACES, TIME, MOVE, REPLY, WORKERS, TIDY, PICK],
);
