import { OWN_ERROR } from '../errors.ts';

/** How keys are laid out and what they hold. A store with a higher one is not touched. */
export const LAYOUT = 1;
/** What a record holds. One with a higher version is left to the newer programs beside us. */
export const RECORD_VERSION = 1;

/**
 * What every script begins with. KEYS[1] is `<prefix>meta`: all keys begin with the same hash tag, so they are on the
 * node that was asked. ARGV[1] is the caller's wall clock, because callers' clocks rule over retries and expiry.
 */
export const PRELUDE = `
local LAYOUT, V = ${LAYOUT}, ${RECORD_VERSION}
local P = string.sub(KEYS[1], 1, -5)
local now = tonumber(ARGV[1])

local function refuse(code, more)
  return error({err = '${OWN_ERROR} ' .. code .. ' ' .. (more or '')})
end

do
  local layout = redis.call('HGET', KEYS[1], 'layout')
  if layout and tonumber(layout) > LAYOUT then refuse('data_too_new', layout) end
end

-- Two names as one that no other two give: tenants and keys may hold any character.
local function pair(a, b) return #a .. ':' .. a .. ':' .. b end

-- Lua writes large numbers with an exponent.
local function int(n) return string.format('%.0f', n) end

-- Sums over all processes, for metrics.
local function count(name, n)
  if n ~= 0 then redis.call('HINCRBY', P .. 'counters', name, n) end
end
`;
