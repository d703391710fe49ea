import { defineScript } from '../script.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { REPLY } from './reply.ts';
import { TO_INDEX } from './unindex.ts';

/**
 * Of one tenant: `looks:` has the names of all looks in order, `look:` what each says, `look_words:` the places by word,
 * `unplaced:` the looks at names without an address, `look_counts:` how many looks a scan has. A look is named by place
 * and engine, apart by a NUL; what it says is scan, epoch of its results, time, order and other words.
 */
const LOOKS = `
local tenant = ARGV[2]
local NAMES, SAID, WORDS = P .. 'looks:' .. tenant, P .. 'look:' .. tenant, P .. 'look_words:' .. tenant
local UNPLACED, COUNTS = P .. 'unplaced:' .. tenant, P .. 'look_counts:' .. tenant
local PART = '^([^\\n]*)\\n(%d+)\\n(%d+)\\n(%d+)\\n'

-- Whether the scan still has the results of that epoch.
local seen = {}
local function isHeld(id, epoch)
  if seen[id] == nil then
    local facts = redis.call('HMGET', P .. 'scan:' .. id, 'tenant', 'result_epoch')
    seen[id] = facts[1] == tenant and facts[2] or ''
  end
  return seen[id] == epoch
end

local function isGood(said)
  if not said then return false end
  local id, epoch = string.match(said, PART)
  return id ~= nil and isHeld(id, epoch)
end

-- Names and sayings of those looks whose results are there, and the names of the others.
local function sorted(names)
  local good, stale = {}, {}
  if #names == 0 then return good, stale end
  for i, said in ipairs(redis.call('HMGET', SAID, unpack(names))) do
    if isGood(said) then
      good[#good + 1] = names[i]
      good[#good + 1] = said
    else
      stale[#stale + 1] = names[i]
    end
  end
  return good, stale
end
`;

/** ARGV: tenant, from, to. Records of finished scans that are not entered, oldest first. */
export const MISSING_SCANS = defineScript(
  'missing-scans',
  'read',
  `
local found = {}
for _, name in ipairs(redis.call('ZRANGE', P .. 'unindexed:' .. ARGV[2], ARGV[3], ARGV[4])) do
  local scan = load(string.sub(name, 16))
  -- Those of newer programs are entered by them.
  if scan and not isNewer(scan) then found[#found + 1] = reply(scan) end
end
return found
`,
  [RECORD, PLACES, REPLY],
);

/** ARGV: tenant, id. What the looks of a scan are entered with: order, epoch, and the round of the whole index. */
export const BEGIN_LOOKS = defineScript(
  'begin-looks',
  'read',
  `
local facts = redis.call('HMGET', P .. 'scan:' .. ARGV[3], 'tenant', 'result_epoch', 'n')
if facts[1] ~= ARGV[2] or not facts[2] then return nil end
return {facts[2], facts[3], redis.call('HGET', P .. 'index_rounds', ARGV[2]) or '0'}
`,
);

/**
 * ARGV: tenant, id, epoch, finished, order, then a JSON list of [place, engine, other words or null, words to find by].
 * Returns 0 when the scan has no such results any more.
 */
export const ENTER_LOOKS = defineScript(
  'enter-looks',
  'take',
  `
local id, epoch, finished, order = ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if not isHeld(id, epoch) then return 0 end

-- Owner of the look that is there, if it counts; nil and true when it is newer than ours.
local function before(said)
  if not isGood(said) then return nil end
  local owner, _, at, nth = string.match(said, PART)
  at, nth = tonumber(at), tonumber(nth)
  local isNewer = at > tonumber(finished) or (at == tonumber(finished) and nth > tonumber(order))
  return owner, isNewer
end

for _, look in ipairs(cjson.decode(ARGV[7])) do
  local place, engine, also = look[1], look[2], look[3]
  local name = place .. '\\0' .. engine
  local owner, isNewer = before(redis.call('HGET', SAID, name))
  if not isNewer then
    if owner ~= id then
      if owner then redis.call('HINCRBY', COUNTS, owner, -1) end
      redis.call('HINCRBY', COUNTS, id, 1)
    end
    local isUnknown = also == cjson.null
    local words = isUnknown and '?' or ('=' .. also)
    redis.call('HSET', SAID, name, table.concat({id, epoch, finished, order, words}, '\\n'))
    redis.call('ZADD', NAMES, 0, name)
    if isUnknown then redis.call('ZADD', UNPLACED, 0, name) else redis.call('ZREM', UNPLACED, name) end
  end
  for _, word in ipairs(look[4]) do redis.call('ZADD', WORDS, 0, word .. '\\0' .. place) end
end
return 1
`,
  [LOOKS],
);

/** ARGV: tenant, id, epoch, round. All looks of the scan are in, unless another was taken out meanwhile. */
export const END_LOOKS = defineScript(
  'end-looks',
  'keep',
  `
local id = ARGV[3]
local scan = load(id)
if not scan or scan.tenant ~= ARGV[2] or scan.result_epoch ~= ARGV[4] then return 0 end
if (redis.call('HGET', P .. 'index_rounds', ARGV[2]) or '0') ~= ARGV[5] then return 0 end
redis.call('ZREM', P .. 'unindexed:' .. scan.tenant, indexName(scan))
redis.call('ZADD', P .. 'indexed:' .. scan.tenant, scan.finished, indexName(scan))
return 1
`,
  [RECORD, TO_INDEX],
);

/** ARGV: tenant, name of the last look ('' at first), most. Returns the last name read ('' at the end), looks, stale names. */
export const READ_LOOKS = defineScript(
  'read-looks',
  'read',
  `
local from = ARGV[3] == '' and '-' or '(' .. ARGV[3]
local names = redis.call('ZRANGE', NAMES, from, '+', 'BYLEX', 'LIMIT', 0, ARGV[4])
local good, stale = sorted(names)
return {#names < tonumber(ARGV[4]) and '' or names[#names], good, stale}
`,
  [LOOKS],
);

/**
 * ARGV: tenant, word, place after which to go on ('' at first), most places. Returns the place to go on after ('' at the
 * end), looks, stale names.
 */
export const LOOKS_AT = defineScript(
  'looks-at',
  'read',
  `
local word, after, most = ARGV[3], ARGV[4], tonumber(ARGV[5])
local from = after == '' and '[' .. word .. '\\0' or '(' .. word .. '\\0' .. after
local found = redis.call('ZRANGE', WORDS, from, '(' .. word .. '\\1', 'BYLEX', 'LIMIT', 0, most)
local places = after == '' and {word} or {}
for _, name in ipairs(found) do places[#places + 1] = string.sub(name, #word + 2) end
local names = {}
for _, place in ipairs(places) do
  for _, name in ipairs(redis.call('ZRANGE', NAMES, '[' .. place .. '\\0', '(' .. place .. '\\1', 'BYLEX')) do
    names[#names + 1] = name
  end
end
local good, stale = sorted(names)
return {#found < most and '' or places[#places], good, stale}
`,
  [LOOKS],
);

/** ARGV: tenant, name of the last look ('' at first), most. As READ_LOOKS, of the names without an address. */
export const READ_UNPLACED = defineScript(
  'read-unplaced',
  'read',
  `
local from = ARGV[3] == '' and '-' or '(' .. ARGV[3]
local names = redis.call('ZRANGE', UNPLACED, from, '+', 'BYLEX', 'LIMIT', 0, ARGV[4])
local good, stale = sorted(names)
return {#names < tonumber(ARGV[4]) and '' or names[#names], good, stale}
`,
  [LOOKS],
);

/** ARGV: tenant, names. Clears looks away whose results are gone. */
export const CLEAR_LOOKS = defineScript(
  'clear-looks',
  'keep',
  `
for i = 3, #ARGV do
  local name = ARGV[i]
  if not isGood(redis.call('HGET', SAID, name)) then
    redis.call('HDEL', SAID, name)
    redis.call('ZREM', NAMES, name)
    redis.call('ZREM', UNPLACED, name)
  end
end
return 'ok'
`,
  [LOOKS],
);
