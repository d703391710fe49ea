import { AppError } from '../model/errors.ts';
import type { ErrorCode } from '../model/errors.ts';
import type { JobInput, JobName, JobOutput } from './jobs.ts';
import type { ListMessage } from './suppressions-once.ts';

/** To a reader thread: a job, the word that nobody waits for it any more, judgements that jobs speak of, or that nothing more will come. */
export type ToThread =
  | { readonly [N in JobName]: { readonly id: number; readonly name: N; readonly input: JobInput<N> } }[JobName]
  | { readonly id: number; readonly name: 'cancel' }
  | ListMessage
  | { readonly name: 'end' };

/** What a job threw: the parts of an AppError, or a defect as the Error it is. */
export type Failure =
  | {
      readonly kind: 'app';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string;
      readonly targets?: readonly string[];
      readonly cause?: Error;
    }
  | { readonly kind: 'defect'; readonly error: Error };

export type FromThread<N extends JobName> =
  | { readonly id: number; readonly output: JobOutput<N> }
  | { readonly id: number; readonly failure: Failure };

/** An error with what every clone of it can hold. */
const plainError = (error: unknown): Error => {
  const plain = new Error(error instanceof Error ? error.message : String(error));
  if (error instanceof Error && error.stack !== undefined) plain.stack = error.stack;
  return plain;
};

export function toFailure(error: unknown): Failure {
  if (!(error instanceof AppError)) return { kind: 'defect', error: plainError(error) };
  const { code, message, hint, targets, cause } = error;
  return {
    kind: 'app',
    code,
    message,
    hint,
    ...(targets === undefined ? {} : { targets }),
    ...(cause === undefined ? {} : { cause: plainError(cause) }),
  };
}

export function fromFailure(failure: Failure): Error {
  if (failure.kind === 'defect') return failure.error;
  const { code, message, kind: _, ...options } = failure;
  return new AppError(code, message, options);
}
