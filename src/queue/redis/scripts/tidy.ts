/** What a claim does before it takes a scan, in bounded parts: a thousand lost scans must not hold up the server. */
export const TIDY = `
local BUDGET = 100

-- What goes on at its scanner whoever watches has nothing to do with the end of its worker, until its report is read.
local function isBystander(scan)
  if scan.phase ~= 'launched' or scan.read_in == scan.epoch then return false end
  return now < tonumber(scan.started or 0) + tonumber(scan.minutes) * 60000
end

local function reclaimOne(scan, mostLost)
  local lost = tonumber(scan.lost or 0) + (isBystander(scan) and 0 or 1)
  count('lost:' .. scan.pool, 1)
  if lost > mostLost then
    local facts = abandoned()
    facts.lost = lost
    local message = 'Its worker ended ' .. lost .. ' times while running it.'
    move(scan, 'failed', facts, {error = failure('scan_aborted', message)})
  elseif scan.cancel and not scan.phase then
    local facts = ended()
    facts.lost = lost
    move(scan, 'cancelled', facts, {checkpoint = false})
  else
    local facts = requeued(scan)
    facts.lost = lost > 0 and lost or false
    move(scan, 'queued', facts, scan.cancel and {progress = cancelling(scan)} or {})
  end
end

-- Scans of lost workers go back. A worker that has beaten since it was judged is not lost. One that was only frozen puts
-- itself back by its next heartbeat. Returns true when there is more to do.
local function reclaim(lost, mostLost)
  local left = BUDGET
  for _, judged in ipairs(lost) do
    local worker = judged[1]
    if (redis.call('HGET', P .. 'beats', worker) or '') == judged[2] then
      for _, id in ipairs(redis.call('HVALS', P .. 'owned:' .. worker)) do
        if left == 0 then return true end
        local scan = load(id)
        if scan and not isNewer(scan) then
          reclaimOne(scan, mostLost)
          left = left - 1
        end
      end
      forget(worker)
    end
  end
  return false
end

local function wakeRetries()
  -- The clock was set back: a retry waits its own delay again, not the hour as well.
  local ahead = redis.call('ZRANGEBYSCORE', P .. 'retry_from', '(' .. int(now), '+inf', 'WITHSCORES', 'LIMIT', 0, BUDGET)
  for i = 1, #ahead, 2 do
    local scan = load(ahead[i])
    if scan and not isNewer(scan) then
      local due = now + tonumber(scan.retry_at) - tonumber(ahead[i + 1])
      redis.call('ZADD', P .. 'retry_from', now, scan.id)
      redis.call('ZADD', P .. 'retrying', due, scan.id)
      change(scan, {retry_at = due})
    end
  end
  local due = redis.call('ZRANGEBYSCORE', P .. 'retrying', '-inf', now, 'LIMIT', 0, BUDGET)
  for _, id in ipairs(due) do
    local scan = load(id)
    if scan and not isNewer(scan) then move(scan, 'queued', requeued(scan)) end
  end
end

-- Adoptions whose instance has been away for long may go elsewhere: it was removed, or will not come back soon.
local function letGo(pools, patience)
  for pool, slots in pairs(pools) do
    local present = {}
    for _, slot in ipairs(slots) do present[slot.instance] = true end
    local adopt = redis.call('HGETALL', P .. 'adopt:' .. pool)
    for i = 1, #adopt, 2 do
      local since = tonumber(redis.call('ZSCORE', P .. 'age:' .. pool, adopt[i]) or now)
      local scan = not present[adopt[i + 1]] and since < now - patience and load(adopt[i])
      if scan and not isNewer(scan) then
        leaveQueue(scan)
        change(scan, {held = false, bound = scan.pinned or false})
        enterQueue(scan)
      end
    end
  end
end

-- Fails what has waited too long. Call it when nothing can start.
local function expire(hours)
  local left = BUDGET
  for _, name in ipairs(redis.call('HKEYS', P .. 'counts')) do
    local pool = string.match(name, '^queued:(.*)$')
    local before = '(' .. int(now - hours * 3600000)
    local old = pool and redis.call('ZRANGEBYSCORE', P .. 'age:' .. pool, '-inf', before, 'LIMIT', 0, left) or {}
    for _, id in ipairs(old) do
      local scan = load(id)
      if scan and not isNewer(scan) then
        local message = 'No instance of pool ' .. pool .. ' took it within ' .. hours .. ' hours.'
        move(scan, 'failed', abandoned(), {error = failure('no_scanner_available', message)})
        left = left - 1
      end
    end
  end
  return left == 0
end
`;
