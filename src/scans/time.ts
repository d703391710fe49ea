/** Epoch milliseconds as ISO 8601, UTC. */
export const isoTime = (at: number): string => new Date(at).toISOString();
