const SIGNALS = ['SIGTERM', 'SIGINT'] as const satisfies readonly NodeJS.Signals[];

/** Calls `stop` for each SIGTERM and SIGINT, with how many there were. Returns the way to stop listening. */
export function onStopSignals(stop: (signal: NodeJS.Signals, count: number) => void): () => void {
  let count = 0;
  const heard = (signal: NodeJS.Signals): void => {
    count += 1;
    stop(signal, count);
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return () => {
    for (const signal of SIGNALS) process.off(signal, heard);
  };
}
