import { ScanState } from '../../../model/scan.ts';

/**
 * A scan is two hashes. `scan:<id>` holds its small facts, so that Redis keeps it packed; `text:<id>` holds the JSON
 * that no script looks into, and `events:<id>` what happened after it was made.
 */
export const RECORD = `
local STATES = ' ${ScanState.options.join(' ')} '

-- Whether a newer program wrote it. Nothing here knows what such a scan needs.
local function isNewer(scan)
  return tonumber(scan.v) > V or not string.find(STATES, ' ' .. scan.state .. ' ', 1, true)
end

local function known(scan)
  if isNewer(scan) then refuse('data_too_new', scan.id) end
  return scan
end

-- The facts of a scan by name, or nil.
local function load(id)
  local flat = redis.call('HGETALL', P .. 'scan:' .. id)
  if #flat == 0 then return nil end
  local scan = {id = id}
  for i = 1, #flat, 2 do scan[flat[i]] = flat[i + 1] end
  return scan
end

-- Another tenant's scan is nil, like one that never was.
local function find(tenant, id)
  local scan = load(id)
  if not scan or scan.tenant ~= tenant then return nil end
  return known(scan)
end

-- Writes values by name into a hash; false removes one.
local function put(key, changes)
  local set, removed = {}, {}
  for name, value in pairs(changes) do
    if value == false then
      removed[#removed + 1] = name
    else
      set[#set + 1] = name
      set[#set + 1] = type(value) == 'number' and int(value) or value
    end
  end
  if #set > 0 then redis.call('HSET', key, unpack(set)) end
  if #removed > 0 then redis.call('HDEL', key, unpack(removed)) end
end

-- Writes facts and texts; the table is kept as the record now is.
local function change(scan, facts, texts)
  put(P .. 'scan:' .. scan.id, facts)
  if texts then put(P .. 'text:' .. scan.id, texts) end
  for name, value in pairs(facts) do
    if value == false then scan[name] = nil
    elseif type(value) == 'number' then scan[name] = int(value)
    else scan[name] = value end
  end
end

-- Event 1 says only what the record says (queued when it was made, or imported as it is), so it is not stored.
local function seqOf(id) return redis.call('LLEN', P .. 'events:' .. id) + 1 end

-- Appends the event that tells of the scan as it stands, and tells everyone who listens.
local function tell(scan)
  local shown = ''
  if scan.state == 'running' or scan.cancel then
    shown = redis.call('HGET', P .. 'text:' .. scan.id, 'progress') or ''
  end
  local seq = redis.call('RPUSH', P .. 'events:' .. scan.id, int(now) .. ' ' .. scan.state .. ' ' .. shown) + 1
  local nth = redis.call('INCR', P .. 'told')
  redis.call('PUBLISH', P .. 'events', int(nth) .. ' ' .. int(seq) .. ' ' .. scan.id)
end

-- There may be work, or a cancel, for a worker.
local function ring() redis.call('PUBLISH', P .. 'jobs', '') end
`;
