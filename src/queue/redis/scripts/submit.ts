import { defineScript } from '../script.ts';
import { MOVE } from './move.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { REPLY } from './reply.ts';
import { TIME } from './time.ts';

/** The scan that a request would get instead of a new one. */
const EXISTING = `
-- How old a key may be, in milliseconds.
local function existing(tenant, key, hash, lifetime)
  if key == '' then
    -- Scans of newer programs count too; what is asked of them is answered by those.
    local id = string.match(redis.call('HGET', P .. 'twins:' .. tenant, hash) or '', '%d+:(%S+)')
    local twin = id and load(id)
    return twin and {'live_twin', reply(known(twin))}
  end
  local held = redis.call('GET', P .. 'key:' .. pair(tenant, key))
  if not held then return nil end
  local id, at, heldHash = string.match(held, '^(%S+) (%S+) (.*)$')
  if tonumber(at) <= now - lifetime then return nil end
  if heldHash ~= hash then return {'conflict', id} end
  local scan = load(id)
  return scan and {'idempotency_key', reply(known(scan))} or {'removed', id}
end
`;

const PARTS = [RECORD, PLACES, REPLY, EXISTING];

/** tenant, key ('' for none), hash, lifetime of keys */
export const WOULD_DEDUPLICATE = defineScript(
  'wouldDeduplicate',
  'read',
  `return existing(ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])) or {'none'}`,
  PARTS,
);

/** id, tenant, key, hash, lifetime of keys, pool, priority, pinned, project, minutes, hosts, text of the request */
export const SUBMIT = defineScript(
  'submit',
  'take',
  `
local id, tenant, key, hash, lifetime = ARGV[2], ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local mine = find(tenant, id)
if mine then return {'made', reply(mine)} end -- sent again: the first reply was lost
local other = existing(tenant, key, hash, lifetime)
if other then return other end

local scan = {
  id = id, tenant = tenant, hash = hash, pool = ARGV[7], priority = ARGV[8], state = 'queued', bound = ARGV[9],
  n = int(redis.call('INCR', P .. 'n')),
}
nextPlace(scan, scan.n)
redis.call('HSET', P .. 'scan:' .. id, 'v', V, 'n', scan.n, 'tenant', tenant, 'hash', hash, 'pool', scan.pool,
  'priority', scan.priority, 'state', 'queued', 'created', ARGV[1], 'minutes', ARGV[11], 'hosts', ARGV[12],
  'round', scan.round, 'ticket', scan.ticket)
if scan.bound ~= '' then redis.call('HSET', P .. 'scan:' .. id, 'pinned', scan.bound, 'bound', scan.bound) end
if ARGV[10] ~= '' then redis.call('HSET', P .. 'scan:' .. id, 'project', ARGV[10]) end
redis.call('HSET', P .. 'text:' .. id, 'given', ARGV[13])
redis.call('SADD', P .. 'tenants', tenant)
redis.call('ZADD', P .. 'list:all:' .. tenant, scan.n, id)
enter(scan)
setTwin(scan, true)
if key ~= '' then
  -- The lifetime by the caller's clock rules; the server's own only clears away what is over.
  redis.call('SET', P .. 'key:' .. pair(tenant, key), id .. ' ' .. ARGV[1] .. ' ' .. hash, 'PX', int(lifetime + 3600000))
end
count('submitted:' .. scan.pool, 1)
ring()
return {'new', ARGV[1], positionOf(scan)}
`,
  [...PARTS, TIME, MOVE],
);
