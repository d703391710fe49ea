/** Stands for everything in reports without places (of code, for one), so that a later report takes its place. */
export const placeOfNone = (targets: readonly string[]): string => `(no hosts) ${targets.join(' ')}`.slice(0, 500);
