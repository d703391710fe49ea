/** How a record is answered: facts and texts by name, and its position. */
export const REPLY = `
local function reply(scan)
  return {
    scan.id,
    redis.call('HGETALL', P .. 'scan:' .. scan.id),
    redis.call('HGETALL', P .. 'text:' .. scan.id),
    positionOf(scan),
  }
end

-- In a list: one that cannot be read must not keep the others from being shown.
local function listed(scan) return isNewer(scan) and 'newer' or reply(scan) end
`;
