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
`;
