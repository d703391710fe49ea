import { chmodSync, closeSync, mkdirSync, openSync, statfsSync } from 'node:fs';
import { AppError } from '../../model/errors.ts';

/**
 * `f_type` of file systems whose shared memory or locks do not reach other machines, which WAL needs.
 * Source: linux/magic.h, and statfs(2).
 */
const NETWORK_FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x65735546, 'FUSE'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x786f4256, 'VirtualBox shared folder'],
  [0xbacbacbc, 'VMware shared folder'],
]);

const fileSystemType = (folder: string): number => (process.platform === 'linux' ? Number(statfsSync(folder).type) : 0);

/** Bytes an ordinary user may still write below `folder`. */
export function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/**
 * Makes the folder (0700) and an empty file (0600) unless they exist; SQLite gives its side files the same mode.
 * @throws AppError storage_unusable when it cannot be made or lies on a network file system
 */
export function prepareFile(folder: string, path: string, typeOf: (folder: string) => number = fileSystemType): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const network = NETWORK_FILE_SYSTEMS.get(typeOf(folder) >>> 0);
    if (network) {
      throw new AppError('storage_unusable', `${folder} is on a network file system (${network}).`, {
        hint: 'Operator: choose a data folder on a local disk (--data or SCANMUX_DATA_DIR).',
      });
    }
    chmodSync(folder, 0o700);
    closeSync(openSync(path, 'a', 0o600));
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('storage_unusable', `The data folder ${folder} cannot be written.`, {
      cause,
      hint: 'Operator: check its owner and permissions; `scanmux doctor` checks them.',
    });
  }
}
