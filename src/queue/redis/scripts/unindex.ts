/**
 * Lua of the scan index that the queue calls when a scan has ended. Finished scans with results stand in `unindexed:<tenant>`
 * until they are entered, then in `indexed:<tenant>`; both in the order in which they finished. Looks are not touched
 * here, because there may be a million of them: a look counts only while its scan has the results it was made of, and
 * who meets one that does not clears it away.
 */
export const TO_INDEX = `
local function indexName(scan) return string.format('%014.0f', tonumber(scan.n)) .. ':' .. scan.id end

-- A scan has ended with results: it can be entered.
local function toIndex(scan)
  redis.call('ZADD', P .. 'unindexed:' .. scan.tenant, scan.finished, indexName(scan))
end

`;

/** Lua that the queue calls in the step that removes a scan or starts it again. Needs TO_INDEX. */
export const UNINDEX = `
-- All of the smaller one are added to the other, which then bears the second name.
local function mergeInto(from, to)
  if redis.call('ZCARD', from) > redis.call('ZCARD', to) then
    redis.call('RENAME', from, from .. ':moving')
    if redis.call('EXISTS', to) == 1 then redis.call('RENAME', to, from) end
    redis.call('RENAME', from .. ':moving', to)
  end
  local at = 0
  while true do
    local part = redis.call('ZRANGE', from, at, at + 499, 'WITHSCORES')
    if #part == 0 then break end
    local turned = {}
    for i = 1, #part, 2 do
      turned[i], turned[i + 1] = part[i + 1], part[i]
    end
    redis.call('ZADD', to, unpack(turned))
    at = at + 500
  end
  redis.call('DEL', from)
end

-- The results of a scan are gone: the scan was removed or started again. The scans whose place it had taken are only
-- known to the files, so all of the tenant are entered anew when somebody asks next.
local function unindex(tenant, id)
  local scan = load(id)
  if not scan or not scan.result_epoch then return end
  redis.call('ZREM', P .. 'unindexed:' .. tenant, indexName(scan))
  redis.call('ZREM', P .. 'indexed:' .. tenant, indexName(scan))
  local looks = tonumber(redis.call('HGET', P .. 'look_counts:' .. tenant, id) or 0)
  redis.call('HDEL', P .. 'look_counts:' .. tenant, id)
  if looks <= 0 then return end
  redis.call('HINCRBY', P .. 'index_rounds', tenant, 1)
  mergeInto(P .. 'indexed:' .. tenant, P .. 'unindexed:' .. tenant)
end
`;
