import { KEPT_DURATIONS } from '../../expected-wait.ts';
import { defineScript } from '../script.ts';
import { MOVE } from './move.ts';
import { PLACES } from './places.ts';
import { RECORD } from './record.ts';
import { TIME } from './time.ts';

/**
 * Writes of an attempt. ARGV: id, epoch, request id, then what is written. The epoch alone fences: it rises with every
 * claim. A request that the record holds already was written; only its reply was lost.
 */
const FENCED = `
local id, epoch, request = ARGV[2], ARGV[3], ARGV[4]
local scan = load(id)
if not scan then return 0 end
if scan.request == request then return 1 end
if scan.state ~= 'running' or scan.epoch ~= epoch then return 0 end
known(scan)
`;

const PARTS = [RECORD, PLACES, TIME, MOVE, FENCED];

/** id, epoch */
export const RENEW = defineScript(
  'renew',
  'read',
  `
local scan = redis.call('HMGET', P .. 'scan:' .. ARGV[2], 'state', 'epoch', 'cancel')
if scan[1] ~= 'running' or scan[2] ~= ARGV[3] then return {0, 0} end
return {1, scan[3] and 1 or 0}
`,
);

/** phase, instance, text of the checkpoint */
export const CHECKPOINT = defineScript(
  'checkpoint',
  'keep',
  `
change(scan, {phase = ARGV[5], at = ARGV[6], read_in = false, request = request}, {checkpoint = ARGV[7]})
return 1
`,
  PARTS,
);

/** Nothing to note without something at a scanner: each of its lost workers counts anyway. */
export const READING = defineScript(
  'reading',
  'keep',
  `
if scan.phase == 'launched' then change(scan, {read_in = epoch, request = request}) end
return 1
`,
  PARTS,
);

/** progress, the same with the phase of a cancel, id at the scanner or '' */
export const PROGRESS = defineScript(
  'progress',
  'keep',
  `
local texts = {progress = scan.cancel and ARGV[6] or ARGV[5]}
if ARGV[7] ~= '' then texts.external = ARGV[7] end
change(scan, {request = request}, texts)
tell(scan)
return 1
`,
  PARTS,
);

/**
 * kind, result or '', error or '', delay in milliseconds, '1' when the run is kept, engine, findings by severity (JSON)
 * or ''
 */
export const FINISH = defineScript(
  'finish',
  'keep',
  `
local kind, result, error, delay, keepsRun = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8]), ARGV[9] == '1'

-- A clean retry has nothing outside; with a cancel waiting there is no reason for another attempt.
local function retryLater()
  if scan.cancel then
    local facts = ended()
    facts.request = request
    return move(scan, 'cancelled', facts, {checkpoint = false})
  end
  local facts, texts = {retry_at = now + delay, request = request}, {error = error}
  if not keepsRun then
    facts.phase, facts.at, facts.read_in, texts.checkpoint = false, false, false, false
  end
  count('retried:' .. scan.pool, 1)
  move(scan, 'retrying', facts, texts)
end

-- Given back at shutdown: the attempt did not count, and what runs outside is adopted by the next worker.
local function release()
  if scan.cancel and not scan.phase then
    local facts = ended()
    facts.request = request
    return move(scan, 'cancelled', facts, {checkpoint = false})
  end
  local facts = requeued(scan)
  facts.attempt = math.max(0, tonumber(scan.attempt) - 1)
  facts.request = request
  move(scan, 'queued', facts, scan.cancel and {progress = cancelling(scan)} or {})
end

local function finally()
  local facts, texts = ended(), {checkpoint = false, error = error ~= '' and error or false}
  facts.request = request
  if result ~= '' then
    facts.result_epoch = scan.epoch
    texts.result = result
    for severity, n in pairs(cjson.decode(ARGV[11])) do count('findings:' .. severity .. ':' .. ARGV[10], n) end
  end
  local ms = now - tonumber(scan.started or now)
  if kind == 'completed' and ms >= 0 then -- a clock that was set back measures nothing
    local durations = P .. 'durations:' .. scan.pool
    redis.call('LPUSH', durations, int(ms))
    redis.call('LTRIM', durations, 0, ${KEPT_DURATIONS - 1})
  end
  move(scan, kind, facts, texts)
end

if kind == 'retry' then retryLater() elseif kind == 'released' then release() else finally() end
ring() -- a slot is free
return 1
`,
  PARTS,
);
