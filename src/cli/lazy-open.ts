/** Something that is opened when it is first asked for, once for all who ask. */
export interface LazyOpen<T> {
  /** Tries again after a failure. */
  readonly open: () => Promise<T>;
  /** What was begun; undefined while nobody has asked, and after a failure. */
  readonly opening: () => Promise<T> | undefined;
}

/**
 * A failure answers whatever asks before the event loop goes on: one call asks in several places, and would wait as often
 * for a queue that is away.
 */
export function lazyOpen<T>(opener: () => Promise<T>): LazyOpen<T> {
  let opening: Promise<T> | undefined;
  const begin = async (): Promise<T> => {
    try {
      return await opener();
    } catch (error) {
      setImmediate(() => (opening = undefined));
      throw error;
    }
  };
  return {
    open: () => (opening ??= begin()),
    opening: () => opening,
  };
}
