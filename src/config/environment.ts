/** Environment variables, as a parameter so that tests need not touch those of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of this process. The object itself, because on Windows only that ignores case. */
export const environment = (): Environment => process.env;

/** A variable that is set to nothing counts as not set: that is how compose files and CI leave things out. */
export function variable(env: Environment, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}
