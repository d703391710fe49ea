import { defineScript } from '../script.ts';
import { MOVE } from './move.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { REPLY } from './reply.ts';
import { TIME } from './time.ts';

const RECENT = `
local function recent(tenant, hash, lifetime)
  local held = redis.call('GET', P .. 'imported:' .. pair(tenant, hash))
  local id, at = string.match(held or '', '^(%S+) (%S+)$')
  if not id or tonumber(at) <= now - lifetime then return nil end
  local scan = load(id)
  return scan and known(scan)
end
`;

/** tenant, hash, lifetime of keys */
export const RECENT_IMPORT = defineScript(
  'recentImport',
  'read',
  `
local scan = recent(ARGV[2], ARGV[3], tonumber(ARGV[4]))
return scan and reply(scan)
`,
  [RECORD, PLACES, REPLY, RECENT],
);

/** id, tenant, hash, lifetime of keys, pool, priority, project, minutes, hosts, started, finished, request, result,
 * engine, findings by severity (JSON) */
export const IMPORT = defineScript(
  'import',
  'take',
  `
local id, tenant, hash, lifetime = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local mine = find(tenant, id)
if mine then return {'made', reply(mine)} end -- sent again: the first reply was lost
local other = recent(tenant, hash, lifetime)
if other then return {'known', reply(other)} end

local scan = {
  v = V, n = redis.call('INCR', P .. 'n'), tenant = tenant, hash = hash, pool = ARGV[6], priority = ARGV[7],
  state = 'completed', origin = 'imported', created = now, minutes = ARGV[9], hosts = ARGV[10], finished = ARGV[12],
  epoch = 1, result_epoch = 1,
}
if ARGV[8] ~= '' then scan.project = ARGV[8] end
if ARGV[11] ~= '' then scan.started = ARGV[11] end
put(P .. 'scan:' .. id, scan)
put(P .. 'text:' .. id, {given = ARGV[13], result = ARGV[14]})
scan = load(id)
redis.call('SADD', P .. 'tenants', tenant)
redis.call('ZADD', P .. 'list:all:' .. tenant, scan.n, id)
enter(scan)
count('imported:' .. scan.pool, 1)
for severity, n in pairs(cjson.decode(ARGV[16])) do count('findings:' .. severity .. ':' .. ARGV[15], n) end
redis.call('SET', P .. 'imported:' .. pair(tenant, hash), id .. ' ' .. int(now), 'PX', int(lifetime + 3600000))
redis.call('PUBLISH', P .. 'events', int(redis.call('INCR', P .. 'told')) .. ' 1 ' .. id)
return {'made', reply(scan)}
`,
  [RECORD, PLACES, REPLY, RECENT, TIME, MOVE],
);
