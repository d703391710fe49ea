/**
 * Where queued scans stand. Unbound ones are in `free:<pool>`; those that only one instance may take (pinned, or to be
 * adopted where they run) are in `bound:<pool>`, and in `tied:` or `held:` of their instance. All are ordered by
 * priority, then round, then ticket, so a position is a rank and costs a logarithm.
 */
export const PLACES = `
-- Rounds of one priority, in the whole numbers a score can hold: ten priorities fit below 2^53.
local ROUNDS = 2 ^ 46

local function score(scan) return tonumber(scan.priority) * ROUNDS + tonumber(scan.round) end
-- Members of one score are ordered by their text: tickets are as long as one another.
local function member(scan) return scan.ticket .. ':' .. scan.id end
local function idOf(name) return string.sub(name, 16) end
local function ticketOf(name) return string.sub(name, 1, 14) end

local function isBound(scan) return scan.bound ~= nil and scan.bound ~= '' end

local function enterQueue(scan)
  local at, name = score(scan), member(scan)
  if isBound(scan) then
    redis.call('ZADD', P .. 'bound:' .. scan.pool, at, name)
    redis.call('ZADD', P .. (scan.held and 'held:' or 'tied:') .. pair(scan.pool, scan.bound), at, name)
    if scan.held then redis.call('HSET', P .. 'adopt:' .. scan.pool, scan.id, scan.bound) end
  else
    redis.call('ZADD', P .. 'free:' .. scan.pool, at, name)
  end
end

local function leaveQueue(scan)
  local name = member(scan)
  if isBound(scan) then
    redis.call('ZREM', P .. 'bound:' .. scan.pool, name)
    redis.call('ZREM', P .. (scan.held and 'held:' or 'tied:') .. pair(scan.pool, scan.bound), name)
    if scan.held then redis.call('HDEL', P .. 'adopt:' .. scan.pool, scan.id) end
  else
    redis.call('ZREM', P .. 'free:' .. scan.pool, name)
  end
end

-- 1 for the next of its pool; -1 when it is not queued.
local function positionOf(scan)
  if scan.state ~= 'queued' then return -1 end
  local own, other = P .. 'free:' .. scan.pool, P .. 'bound:' .. scan.pool
  if isBound(scan) then own, other = other, own end
  local rank = redis.call('ZRANK', own, member(scan))
  if not rank then return -1 end
  local ahead = rank
  if redis.call('EXISTS', other) == 1 then
    local at = int(score(scan))
    ahead = ahead + redis.call('ZCOUNT', other, '-inf', '(' .. at)
    -- One tenant has at most one scan in a round, so these are few.
    for _, name in ipairs(redis.call('ZRANGEBYSCORE', other, at, at)) do
      if ticketOf(name) < scan.ticket then ahead = ahead + 1 end
    end
  end
  return ahead + 1
end

-- Start-time fair queueing with equal weights (P. Goyal, H. Vin, H. Cheng, SIGCOMM 1996): a tenant's next scan goes one
-- round behind its last one, but never behind the round being served. Who was idle saves up nothing, and who floods the
-- queue only makes its own line longer. Within a round, first come, first served.
-- Sets round and ticket; the ticket is a number of the counter that also orders creation.
local function nextPlace(scan, n)
  local lanes = P .. 'lanes:' .. scan.pool
  local lane = scan.priority .. '=' .. scan.tenant
  local rounds = redis.call('HMGET', lanes, scan.priority .. '.', lane)
  local served = tonumber(rounds[1] or 0)
  local round = rounds[2] and math.max(served, tonumber(rounds[2]) + 1) or served
  scan.round, scan.ticket = int(round), string.format('%014.0f', n)
  redis.call('HSET', lanes, lane, scan.round)
end

-- Notes which round is being served, when a scan of it starts.
local function serve(scan)
  local lanes, lane = P .. 'lanes:' .. scan.pool, scan.priority .. '.'
  local served = tonumber(redis.call('HGET', lanes, lane) or 0)
  if tonumber(scan.round) > served then redis.call('HSET', lanes, lane, scan.round) end
end
`;
