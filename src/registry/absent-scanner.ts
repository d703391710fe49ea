import { AppError } from '../model/errors.ts';
import type { Scanner } from '../scanners/scanner.ts';

/** Stands for a disabled instance whose settings cannot be completed. It can be listed, and does nothing. */
export function withoutScanner(why: string): Scanner {
  const refusal = (): AppError => new AppError('no_scanner_available', `This instance is disabled (${why}).`);
  return {
    probe: () => Promise.resolve({ status: 'unhealthy', canLaunch: false, why: `Disabled; ${why}.` }),
    run: () => Promise.reject(refusal()),
    parse: () => {
      throw refusal();
    },
  };
}
