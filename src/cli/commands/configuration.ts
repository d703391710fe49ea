import { initConfig } from '../../config/init.ts';
import { AppError } from '../../model/errors.ts';
import { exitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';

/** `scanmux init`: commented examples in the config folder; what is there stays as it is. */
export function init({ terminal, folders }: Session): Promise<number> {
  const { folder, written, kept } = initConfig(folders().config);
  if (written.length > 0) terminal.out(`Written to ${folder}: ${written.join(', ')}`);
  if (kept.length > 0) terminal.out(`Left as they were: ${kept.join(', ')}`);
  terminal.out('Next: `scanmux policy allow <target>` opens the scope, `scanmux doctor` checks everything.');
  return Promise.resolve(exitCode('ok'));
}

/** `scanmux reload`: every process of the data folder reads scanners.yaml again. A broken file changes nothing. */
export const reload = (session: Session): Promise<number> =>
  session.withApp(
    async ({ registry, reloadBell }) => {
      const { source, lastError } = await registry.reload();
      if (lastError !== undefined) {
        throw new AppError('config_invalid', lastError, {
          hint: 'Nothing was changed: the scanners from before stay in force. Correct the file and run the command again.',
        });
      }
      if (!reloadBell.ring()) {
        throw new AppError('storage_full', 'No other process could be told: the data folder takes no byte more.', {
          hint: 'Free disk space in the data folder and run the command again. A changed scanners.yaml is noticed without it.',
        });
      }
      session.terminal.out(`Reloaded in every process: ${registry.pools().length} pools from ${source}.`);
      return exitCode('ok');
    },
    { spawnWorker: false },
  );
