import { defineScript } from '../script.ts';

/**
 * prefix, sha256, then names and values of the key. Returns 1; 0 when either is taken by another key. Sent again it
 * finds its own.
 */
export const ADD_KEY = defineScript(
  'add-key',
  'take',
  `
local at, known = P .. 'key:' .. ARGV[2], P .. 'keys:hash'
local holder = redis.call('HGET', known, ARGV[3])
if holder and holder ~= ARGV[2] then return 0 end
local there = redis.call('HGET', at, 'sha256')
if there then return there == ARGV[3] and 1 or 0 end
for i = 4, #ARGV, 2 do redis.call('HSET', at, ARGV[i], ARGV[i + 1]) end
redis.call('HSET', known, ARGV[3], ARGV[2])
redis.call('ZADD', P .. 'keys', redis.call('HGET', at, 'created'), ARGV[2])
return 1
`,
);

/** sha256. Returns names and values, or nothing. */
export const FIND_KEY = defineScript(
  'find-key',
  'read',
  `
local prefix = redis.call('HGET', P .. 'keys:hash', ARGV[2])
return prefix and redis.call('HGETALL', P .. 'key:' .. prefix) or {}
`,
);

/** Names and values of every key, newest first. */
export const LIST_KEYS = defineScript(
  'list-keys',
  'read',
  `
local found = {}
for _, prefix in ipairs(redis.call('ZREVRANGE', P .. 'keys', 0, -1)) do
  found[#found + 1] = redis.call('HGETALL', P .. 'key:' .. prefix)
end
return found
`,
);

/** prefix, id of the request. Returns 1 when it was revoked just now, also when this is sent again. */
export const REVOKE_KEY = defineScript(
  'revoke-key',
  'keep',
  `
local at = P .. 'key:' .. ARGV[2]
if redis.call('EXISTS', at) == 0 then return 0 end
if redis.call('HGET', at, 'revoked') then return redis.call('HGET', at, 'revoker') == ARGV[3] and 1 or 0 end
redis.call('HSET', at, 'revoked', int(now), 'revoker', ARGV[3])
return 1
`,
);
