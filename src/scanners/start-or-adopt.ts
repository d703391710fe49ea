import { AppError } from '../model/errors.ts';
import type { RunContext } from './scanner.ts';

/** The scans of an engine that lives outside this process. References are the engine's own scan ids. */
export interface RemoteScans {
  /** The scan that carries this marker (in its name), if the engine has one. */
  find(marker: string): Promise<string | undefined>;
  start(marker: string): Promise<string>;
  /** Stops and removes a scan of ours. */
  remove(reference: string): Promise<void>;
}

/**
 * The reference of the one scan at the engine that belongs to this scan: started once, adopted ever after, whatever
 * instruction an earlier worker died at.
 * @param freshMarker For a scan that is started anew: different in every attempt (scan id and epoch), because a clean
 *   retry must not adopt the scan of the failed attempt before it. The intent keeps it for whoever adopts.
 * Also adopts when `signal` has aborted: the engine has to end what an earlier attempt left. It starts nothing then.
 * @throws what `checkpoint` throws when the lease is lost; a scan started in vain is removed first.
 */
export async function startOrAdopt(
  ctx: Pick<RunContext, 'signal' | 'checkpoint' | 'previous'>,
  remote: RemoteScans,
  freshMarker: string,
): Promise<string> {
  const { previous } = ctx;
  // What already runs is found even under an abort: the caller gets the reference to end it by.
  if (!previous) ctx.signal.throwIfAborted();
  if (previous?.phase === 'launched' && previous.reference !== undefined) return previous.reference;
  const marker = (previous?.phase === 'intent' ? previous.reference : undefined) ?? freshMarker;
  if (previous) {
    const found = await remote.find(marker);
    // Not removed when the checkpoint is refused: whoever holds the scan now adopts it too.
    if (found !== undefined) return await launched(ctx, found);
  }
  ctx.signal.throwIfAborted();
  // Also fences: a worker that lost its lease is refused here, before it starts anything.
  await ctx.checkpoint({ phase: 'intent', reference: marker });
  ctx.signal.throwIfAborted();
  const reference = await remote.start(marker);
  try {
    return await launched(ctx, reference);
  } catch (error) {
    await removeOwn(remote, reference, error);
    throw error;
  }
}

async function launched(ctx: Pick<RunContext, 'checkpoint'>, reference: string): Promise<string> {
  await ctx.checkpoint({ phase: 'launched', reference });
  return reference;
}

/** Neither failure may hide the other. */
async function removeOwn(remote: RemoteScans, reference: string, refused: unknown): Promise<void> {
  try {
    await remote.remove(reference);
  } catch (cause) {
    throw new AppError('scan_aborted', 'A scan that was started in vain could not be removed at the scanner.', {
      cause: new AggregateError([refused, cause]),
      hint: `Operator: remove the scan ${reference} at the scanner.`,
    });
  }
}
