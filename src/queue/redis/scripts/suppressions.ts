import { defineScript } from '../script.ts';

/**
 * Of one tenant: a hash of judgements by subject, a zset of their ends, and a number that every change raises. A reply
 * may be lost and the step sent again: a step that takes something back remembers for a while what it was.
 */
const KEYS_OF_TENANT = `
local tenant = ARGV[2]
local HELD, ENDS, CHANGES = P .. 'suppressed:' .. tenant, P .. 'suppressed-ends:' .. tenant, P .. 'suppressed-changes:' .. tenant
`;

/** ARGV: tenant, subject, judgement (JSON), its end, what ended before this goes, the most there may be. */
export const PUT_SUPPRESSION = defineScript(
  'put-suppression',
  'take',
  `
local subject, judgement, ends, forget, most = ARGV[3], ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
-- Bounded: the next one forgets more.
for _, old in ipairs(redis.call('ZRANGEBYSCORE', ENDS, '-inf', '(' .. forget, 'LIMIT', 0, 500)) do
  redis.call('HDEL', HELD, old)
  redis.call('ZREM', ENDS, old)
end
local held = redis.call('HLEN', HELD)
if held >= most then return held end
redis.call('HSET', HELD, subject, judgement)
redis.call('ZADD', ENDS, ends, subject)
redis.call('INCR', CHANGES)
return -1
`,
  [KEYS_OF_TENANT],
);

/** ARGV: tenant, subject, id of this request. Returns the judgement that was there. */
export const REMOVE_SUPPRESSION = defineScript(
  'remove-suppression',
  'keep',
  `
local subject, answered = ARGV[3], P .. 'answered:' .. ARGV[4]
local before = redis.call('GET', answered)
if before then return before end
local held = redis.call('HGET', HELD, subject)
if not held then return nil end
redis.call('HDEL', HELD, subject)
redis.call('ZREM', ENDS, subject)
redis.call('INCR', CHANGES)
redis.call('SET', answered, held, 'EX', 60)
return held
`,
  [KEYS_OF_TENANT],
);

/** ARGV: tenant, the number of changes the caller knows. Returns the number now, and the judgements if it is another. */
export const READ_SUPPRESSIONS = defineScript(
  'read-suppressions',
  'read',
  `
local changes = redis.call('GET', CHANGES) or '0'
if changes == ARGV[3] then return {changes} end
return {changes, redis.call('HVALS', HELD)}
`,
  [KEYS_OF_TENANT],
);
