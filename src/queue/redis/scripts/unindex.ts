/**
 * Lua of the scan index that the queue calls in the step that removes a scan or starts it again:
 * `unindex(tenant, scanId)`.
 */
export const UNINDEX = `
local function unindex(tenant, id) end
`;
