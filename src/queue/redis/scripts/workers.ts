import { defineScript } from '../script.ts';
import { TIME } from './time.ts';

export const WORKERS = `
-- Puts a worker on the list. Its counter is what others watch; the time is only shown.
local function announce(worker, beats)
  if beats == 0 then
    if redis.call('HSETNX', P .. 'beats', worker, 0) == 0 then return end
  else
    redis.call('HINCRBY', P .. 'beats', worker, beats)
  end
  redis.call('HSET', P .. 'beaten', worker, int(serverMs()))
end

local function forget(worker)
  redis.call('HDEL', P .. 'beats', worker)
  redis.call('HDEL', P .. 'beaten', worker)
  redis.call('HDEL', P .. 'facts', worker)
end

-- Beats by worker, when each last beat (server's clock) with the time now, and who has running scans.
local function seenWorkers()
  return {
    redis.call('HGETALL', P .. 'beats'),
    redis.call('HGETALL', P .. 'beaten'),
    int(serverMs()),
    redis.call('HKEYS', P .. 'runs'),
  }
end
`;

const PARTS = [TIME, WORKERS];

/** worker, what it says of itself (JSON) or '' */
export const HEARTBEAT = defineScript(
  'heartbeat',
  'keep',
  `
announce(ARGV[2], 1)
if ARGV[3] ~= '' then redis.call('HSET', P .. 'facts', ARGV[2], ARGV[3]) end
return 1
`,
  PARTS,
);

/** worker */
export const RETIRE = defineScript(
  'retire',
  'keep',
  `
forget(ARGV[2])
redis.call('PUBLISH', P .. 'jobs', '')
return 1
`,
  PARTS,
);

export const SEEN_WORKERS = defineScript('seenWorkers', 'read', `return seenWorkers()`, PARTS);

/** Workers as `seenWorkers` has them, what each says of itself (JSON), and how many scans each runs. */
export const WORKER_FACTS = defineScript(
  'workerFacts',
  'read',
  `return {seenWorkers(), redis.call('HGETALL', P .. 'facts'), redis.call('HGETALL', P .. 'runs')}`,
  PARTS,
);

/** Whether a worker that asks for work may get some, as far as the lists tell; and the workers. */
export const MAY_HAVE_WORK = defineScript(
  'mayHaveWork',
  'read',
  `
local may = redis.call('SCARD', P .. 'cancelling') > 0
  or redis.call('ZCOUNT', P .. 'retrying', '-inf', now) > 0
  or redis.call('ZCOUNT', P .. 'retry_from', '(' .. int(now), '+inf') > 0
if not may then
  for _, name in ipairs(redis.call('HKEYS', P .. 'counts')) do
    if string.sub(name, 1, 7) == 'queued:' then may = true end
  end
end
return {may and 1 or 0, seenWorkers()}
`,
  PARTS,
);

export const QUEUED_POOLS = defineScript(
  'queuedPools',
  'read',
  `
local pools = {}
for _, name in ipairs(redis.call('HKEYS', P .. 'counts')) do pools[#pools + 1] = string.match(name, '^queued:(.*)$') end
return pools
`,
);

/**
 * pool, until, by: what waited before a leap of the caller's clock has not waited for what was left out. From the
 * latest down, so that nothing is moved twice; returns where to go on, or '' at the end.
 */
export const LEAP = defineScript(
  'leap',
  'keep',
  `
local age, lowest = P .. 'age:' .. ARGV[2], ''
local waited = redis.call('ZREVRANGEBYSCORE', age, ARGV[3], '-inf', 'WITHSCORES', 'LIMIT', 0, 500)
for i = 1, #waited, 2 do
  redis.call('ZINCRBY', age, ARGV[4], waited[i])
  lowest = waited[i + 1]
end
return lowest
`,
);
