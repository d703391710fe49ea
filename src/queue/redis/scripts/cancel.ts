import { defineScript } from '../script.ts';
import { MOVE } from './move.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { REPLY } from './reply.ts';
import { TIME } from './time.ts';
import { UNINDEX } from './unindex.ts';

const PARTS = [RECORD, PLACES, TIME, MOVE, REPLY];
export const TAKING_OUT = [...PARTS, UNINDEX];

/** tenant, id, request id, reason or '' */
export const CANCEL = defineScript(
  'cancel',
  'keep',
  `
local scan, request = find(ARGV[2], ARGV[3]), ARGV[4]
if not scan then return nil end
if scan.request == request then -- sent again: the first reply was lost
  return {scan.state == 'cancelled' and 'removed' or 'signalled', reply(scan)}
end
if not isLive(scan.state) then return {'already_final', reply(scan)} end

local reason = ARGV[5] ~= '' and ARGV[5] or false
-- A queued scan with a checkpoint may still run at its scanner: a worker has to end it there.
if scan.state ~= 'running' and not scan.phase then
  local facts = ended()
  facts.cancel, facts.request = '1', request
  move(scan, 'cancelled', facts, {checkpoint = false, reason = reason})
  return {'removed', reply(scan)}
end
if not scan.cancel then
  local facts = {cancel = '1', request = request}
  if scan.state == 'retrying' then
    facts.retry_at = now
    redis.call('ZADD', P .. 'retrying', now, scan.id)
  elseif scan.state == 'running' then
    redis.call('SADD', P .. 'cancelling', scan.id)
  end
  change(scan, facts, {reason = reason, progress = cancelling(scan)})
  setTwin(scan, false)
  tell(scan)
end
ring()
return {'signalled', reply(scan)}
`,
  PARTS,
);

/** tenant, id, request id. Nothing of the earlier attempts stays but the epoch, the events, and what may still run. */
export const RETRY_DEAD = defineScript(
  'retryDead',
  'take',
  `
local scan, request = find(ARGV[2], ARGV[3]), ARGV[4]
if not scan then return nil end
if scan.request == request then return {'back', reply(scan)} end
if not isDead(scan.state) then return {'not_dead', scan.state} end
unindex(scan.tenant, scan.id)
local facts = requeued(scan)
for _, name in ipairs({'attempt', 'lost', 'cancel', 'instance', 'started', 'finished', 'result_epoch'}) do
  facts[name] = false
end
facts.request = request
nextPlace(scan, redis.call('INCR', P .. 'n'))
facts.round, facts.ticket = scan.round, scan.ticket
local texts = {reason = false, external = false, progress = false, result = false, error = false}
move(scan, 'queued', facts, texts)
return {'back', reply(scan)}
`,
  TAKING_OUT,
);

/** The record, its events and its places in every list; its idempotency key stays. */
export const REMOVE = `
local function remove(scan)
  unindex(scan.tenant, scan.id)
  leave(scan)
  redis.call('ZREM', P .. 'list:all:' .. scan.tenant, scan.id)
  redis.call('DEL', P .. 'scan:' .. scan.id, P .. 'text:' .. scan.id, P .. 'events:' .. scan.id)
end
`;

/** tenant, before, how many to pass over, most. Returns ids of dead letters. */
export const DEAD_BEFORE = defineScript(
  'deadBefore',
  'read',
  `return redis.call('ZRANGEBYSCORE', P .. 'dead:' .. ARGV[2], '-inf', '(' .. ARGV[3], 'LIMIT', ARGV[4], ARGV[5])`,
);

/** tenant, before, ids. Returns those that are gone now, by this request or by one whose reply was lost. */
export const PURGE_DEAD = defineScript(
  'purgeDead',
  'keep',
  `
local gone = {}
for i = 4, #ARGV do
  local scan = load(ARGV[i])
  local isOld = scan and isDead(scan.state) and scan.tenant == ARGV[2] and tonumber(scan.finished) < tonumber(ARGV[3])
  if isOld and not isNewer(scan) then
    remove(scan)
    scan = nil
  end
  if not scan then gone[#gone + 1] = ARGV[i] end
end
return gone
`,
  [...TAKING_OUT, REMOVE],
);
