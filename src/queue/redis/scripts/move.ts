import { TRANSITIONS, type ScanState } from '../../../model/scan.ts';
import { ERROR_CATALOG, type ErrorCode } from '../../../model/errors.ts';
import { DURATION_BOUNDS } from '../../operations.ts';
import { TO_INDEX } from './unindex.ts';

const MOVES = Object.entries(TRANSITIONS).flatMap(([from, to]) => to.map((state) => `${from}>${state}`));
const isOneOf = (states: readonly ScanState[]): string => states.map((state) => `state == '${state}'`).join(' or ');
const LIVE = isOneOf(['queued', 'running', 'retrying']);
const DEAD = isOneOf(['failed', 'timed_out']);

/** Lua that makes the table of an error as workers report them. */
const luaError = (code: ErrorCode): string => {
  const { hint, retryable } = ERROR_CATALOG[code];
  return `{code = code, message = message, hint = ${JSON.stringify(hint)}, retryable = ${retryable}}`;
};

/** The state machine: which sets and sums a scan is in, by its state. */
export const MOVE = `${TO_INDEX}
-- A script runs all of this each time it is called: tables are made where they are needed.
local ALLOWED = ' ${MOVES.join(' ')} '
local function isLive(state) return ${LIVE} end
local function isDead(state) return ${DEAD} end

local function failure(code, message)
  if code == 'scan_aborted' then return cjson.encode(${luaError('scan_aborted')}) end
  return cjson.encode(${luaError('no_scanner_available')})
end

-- A number that is gone at zero.
local function add(hash, name, n)
  if redis.call('HINCRBY', P .. hash, name, n) == 0 then redis.call('HDEL', P .. hash, name) end
end

-- Live scans of one request, oldest first: 'n:id n:id'. One that is being cancelled is no twin.
local function setTwin(scan, isTwin)
  local key, kept = P .. 'twins:' .. scan.tenant, {}
  for n, id in string.gmatch(redis.call('HGET', key, scan.hash) or '', '(%d+):(%S+)') do
    if id ~= scan.id then kept[#kept + 1] = {tonumber(n), n .. ':' .. id} end
  end
  if isTwin then kept[#kept + 1] = {tonumber(scan.n), scan.n .. ':' .. scan.id} end
  table.sort(kept, function(a, b) return a[1] < b[1] end)
  for i, twin in ipairs(kept) do kept[i] = twin[2] end
  if #kept > 0 then redis.call('HSET', key, scan.hash, table.concat(kept, ' '))
  else redis.call('HDEL', key, scan.hash) end
end

local function leaveRunning(scan)
  local owner = redis.call('HGET', P .. 'owners', scan.id)
  redis.call('HDEL', P .. 'owners', scan.id)
  redis.call('ZREM', P .. 'running:' .. scan.pool, scan.id)
  redis.call('SREM', P .. 'cancelling', scan.id)
  add('active', scan.pool .. '/' .. scan.instance, -1)
  if owner then
    redis.call('HDEL', P .. 'owned:' .. owner, scan.claim)
    add('runs', owner, -1)
  end
end

-- scan.worker: who runs it from now on.
local function enterRunning(scan)
  redis.call('HSET', P .. 'owners', scan.id, scan.worker)
  redis.call('HSET', P .. 'owned:' .. scan.worker, scan.claim, scan.id)
  redis.call('ZADD', P .. 'running:' .. scan.pool, scan.started, scan.id)
  if scan.cancel then redis.call('SADD', P .. 'cancelling', scan.id) end
  add('active', scan.pool .. '/' .. scan.instance, 1)
  add('runs', scan.worker, 1)
end

local function leave(scan)
  local state = scan.state
  redis.call('ZREM', P .. 'list:' .. state .. ':' .. scan.tenant, scan.id)
  redis.call('ZREM', P .. 'board:' .. state .. ':' .. scan.pool, scan.id)
  if isLive(state) then add('counts', state .. ':' .. scan.pool, -1) end
  if state == 'queued' then
    leaveQueue(scan)
    redis.call('ZREM', P .. 'age:' .. scan.pool, scan.id)
  elseif state == 'running' then
    leaveRunning(scan)
  elseif state == 'retrying' then
    redis.call('ZREM', P .. 'retrying', scan.id)
    redis.call('ZREM', P .. 'retry_from', scan.id)
  elseif isDead(state) then
    redis.call('ZREM', P .. 'dead:' .. scan.tenant, scan.id)
    add('dead_of:' .. scan.tenant, scan.pool, -1)
    add('counts', 'dead:' .. scan.pool, -1)
  else
    redis.call('ZREM', P .. 'done:' .. scan.tenant, scan.id)
  end
end

local function enter(scan)
  local state = scan.state
  redis.call('ZADD', P .. 'list:' .. state .. ':' .. scan.tenant, scan.n, scan.id)
  redis.call('ZADD', P .. 'board:' .. state .. ':' .. scan.pool, scan.n, scan.id)
  if isLive(state) then add('counts', state .. ':' .. scan.pool, 1) end
  if state == 'queued' then
    enterQueue(scan)
    redis.call('ZADD', P .. 'age:' .. scan.pool, now, scan.id)
  elseif state == 'running' then
    enterRunning(scan)
  elseif state == 'retrying' then
    redis.call('ZADD', P .. 'retrying', scan.retry_at, scan.id)
    redis.call('ZADD', P .. 'retry_from', now, scan.id)
  elseif isDead(state) then
    redis.call('ZADD', P .. 'dead:' .. scan.tenant, scan.finished, scan.id)
    add('dead_of:' .. scan.tenant, scan.pool, 1)
    add('counts', 'dead:' .. scan.pool, 1)
  else
    -- An imported scan is as old as its import, whenever it was run.
    local age = math.max(tonumber(scan.finished), tonumber(scan.created))
    redis.call('ZADD', P .. 'done:' .. scan.tenant, int(age), scan.id)
  end
  if not isLive(state) and scan.result_epoch then toIndex(scan) end
end

-- For metrics: how scans end, and how long they took from their first start.
local function countEnd(scan)
  count('finished:' .. scan.state .. ':' .. scan.pool, 1)
  local ms = scan.started and now - tonumber(scan.started) or -1
  if ms < 0 then return end
  local le, bounds = 'inf', {${DURATION_BOUNDS.join(', ')}}
  for i = #bounds, 1, -1 do
    if ms <= bounds[i] * 1000 then le = bounds[i] end
  end
  count('took:' .. le .. ':' .. scan.pool, 1)
  count('took_ms:' .. scan.pool, int(ms))
end

-- Moves a scan to a state: its facts and texts, every set it is in, and the event, in this one step.
local function move(scan, to, facts, texts)
  local from = scan.state
  if not string.find(ALLOWED, ' ' .. from .. '>' .. to .. ' ', 1, true) then refuse('transition', from .. ' ' .. to) end
  leave(scan)
  facts.state = to
  change(scan, facts, texts)
  enter(scan)
  if not isLive(to) then countEnd(scan) end
  if isLive(from) and not isLive(to) then setTwin(scan, false) end
  if isLive(to) and not isLive(from) then setTwin(scan, true) end
  if to == 'queued' then ring() end
  tell(scan)
end

-- Facts of a scan that nobody could end: nobody owns it, but it may still run at its scanner, and is found there.
local function abandoned() return {finished = now, held = false, retry_at = false} end

-- Facts of every other end: nobody owns it and nothing runs at the scanner.
local function ended()
  return {finished = now, held = false, retry_at = false, phase = false, at = false, read_in = false}
end

-- Facts of a scan that goes back to the queue keeping its checkpoint, and with it the slot at the scanner.
local function requeued(scan)
  local bound = scan.phase and scan.at or scan.pinned
  return {held = scan.phase and '1' or false, bound = bound or false, retry_at = false}
end

-- Progress as it stands with the phase that tells of a cancel under way.
local function cancelling(scan)
  local text = redis.call('HGET', P .. 'text:' .. scan.id, 'progress')
  local seen = text and cjson.decode(text) or {}
  return cjson.encode({
    percent = seen.percent or 0,
    hosts_done = seen.hosts_done or 0,
    hosts_total = seen.hosts_total or tonumber(scan.hosts),
    findings_so_far = seen.findings_so_far or 0,
    estimated = seen.estimated ~= false,
    phase = 'cancelling',
    updated_at = isoNow(),
  })
end
`;
