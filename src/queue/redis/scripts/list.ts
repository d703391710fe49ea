import { defineScript } from '../script.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { REPLY } from './reply.ts';

/**
 * tenant, state or 'all', before (order of creation, or '+inf'), most. Newest first. Returns the total of the list and
 * each with its order, its id and its record, or 'newer'.
 */
export const PAGE = defineScript(
  'page',
  'read',
  `
local list, found = P .. 'list:' .. ARGV[3] .. ':' .. ARGV[2], {}
local before = ARGV[4] == '+inf' and '+inf' or '(' .. ARGV[4]
for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', list, before, '-inf', 'LIMIT', 0, ARGV[5])) do
  local scan = load(id)
  if scan then found[#found + 1] = {scan.n, id, listed(scan)} end
end
return {redis.call('ZCARD', list), found}
`,
  [RECORD, PLACES, REPLY],
);

/** tenant, id. Returns the order of creation, or nothing. */
export const ORDER = defineScript('order', 'read', `return redis.call('ZSCORE', P .. 'list:all:' .. ARGV[2], ARGV[3])`);

/**
 * tenant, state or 'all', before, most to look at, '1' when the text of the request is wanted. Returns order, id, pool,
 * project, creation and request of each, newest first, so that the reader can filter.
 */
export const WALK = defineScript(
  'walk',
  'read',
  `
local list, found = P .. 'list:' .. ARGV[3] .. ':' .. ARGV[2], {}
local before = ARGV[4] == '+inf' and '+inf' or '(' .. ARGV[4]
for _, id in ipairs(redis.call('ZREVRANGEBYSCORE', list, before, '-inf', 'LIMIT', 0, ARGV[5])) do
  local fact = redis.call('HMGET', P .. 'scan:' .. id, 'n', 'pool', 'project', 'created')
  local given = ARGV[6] == '1' and redis.call('HGET', P .. 'text:' .. id, 'given') or ''
  if fact[1] then found[#found + 1] = {fact[1], id, fact[2], fact[3] or '', fact[4], given} end
end
return found
`,
);

/** ids. Returns the records that are there, or 'newer'. */
export const RECORDS = defineScript(
  'records',
  'read',
  `
local found = {}
for i = 2, #ARGV do
  local scan = load(ARGV[i])
  found[#found + 1] = scan and listed(scan) or false
end
return found
`,
  [RECORD, PLACES, REPLY],
);
