import { AppError } from '../../model/errors.ts';
import type { FreeBytes } from '../disk.ts';

/** Room on a disk that others need as well. */
export interface Room {
  /** @throws AppError storage_full when the disk has not that many bytes more than must stay free */
  require(bytes: number): Promise<void>;
  /**
   * May be asked often: looks at the disk only when much was written, or some time went by, since the last time.
   * @throws AppError storage_full when less is free than must stay free
   */
  wrote(bytes: number): Promise<void> | undefined;
}

export interface RoomOptions {
  readonly folder: string;
  /** Bytes that must stay free. */
  readonly keepFree: number;
  readonly free: FreeBytes;
  /** Milliseconds of any clock that does not go back. */
  readonly now: () => number;
}

const LOOK_AFTER_BYTES = 8 << 20;
const LOOK_AFTER_MS = 250;

const HINT =
  'Narrow the export with filters or take another format. Operator: free disk space, or lower storage_reserve_mb.';

export function createRoom({ folder, keepFree, free, now }: RoomOptions): Room {
  let written = 0;
  let lookedAt = now();
  const require = async (bytes: number): Promise<void> => {
    const found = await free(folder);
    written = 0;
    lookedAt = now();
    if (found >= keepFree + bytes) return;
    const [freeMb, keptMb] = [found, keepFree].map((amount) => Math.floor(amount / 1e6));
    throw new AppError('storage_full', `Only ${freeMb} MB are free; ${keptMb} MB are kept for running scans.`, {
      hint: HINT,
    });
  };
  return {
    require,
    wrote(bytes) {
      written += bytes;
      return written >= LOOK_AFTER_BYTES || now() - lookedAt >= LOOK_AFTER_MS ? require(0) : undefined;
    },
  };
}
