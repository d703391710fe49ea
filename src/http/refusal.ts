import type { RequestHandler } from 'express';
import { AppError } from '../model/errors.ts';

/** A refusal of HTTP itself, with the status HTTP has for it. */
export class HttpRefusal extends AppError {
  readonly status: number;

  constructor(status: number, message: string, hint = 'Correct the request; GET /api/openapi.json has the routes.') {
    super('invalid_request', message, { hint });
    this.status = status;
  }
}

const WORDS: ReadonlyMap<number, string> = new Map([
  [400, 'The request cannot be read: its body is no JSON, was cut short, or its path is badly encoded.'],
  [408, 'The request took too long to arrive.'],
  [412, 'The file is not the one that If-Match names.'],
  [413, 'The body of the request is too large.'],
  [415, 'The body has an encoding or character set that is not supported; send plain UTF-8.'],
  [416, 'The file has nothing in the range that was asked for.'],
]);

/** Errors of express and its body parser carry a status. Their words may quote the request: ours replace them. */
export function refusalOf(error: unknown): HttpRefusal | undefined {
  if (!(error instanceof Error) || error instanceof AppError) return error instanceof HttpRefusal ? error : undefined;
  const status = 'status' in error ? error.status : undefined;
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  return new HttpRefusal(status, WORDS.get(status) ?? 'The request cannot be read.');
}

/** For what is left of a route after its own methods. */
export const refuseMethod =
  (methods: readonly string[]): RequestHandler =>
  ({ method }, response) => {
    response.set('Allow', methods.join(', '));
    throw new HttpRefusal(405, `This route takes ${methods.join(', ')}, not ${method}.`);
  };
