import { MAX_KEY, MIN_KEY, type Arguments } from './read-arguments.ts';

type Json = Arguments;

const text = (description: string): Json => ({ description, schema: { type: 'string' } });

/** Headers that requests may have. */
const header = (name: string, description: string, schema: Json): Json => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
});

export const IDEMPOTENCY_HEADER = header('Idempotency-Key', 'The same as idempotency_key.', {
  type: 'string',
  minLength: MIN_KEY,
  maxLength: MAX_KEY,
});
export const LAST_ID = header('Last-Event-ID', 'Go on after this event.', {
  type: 'integer',
  minimum: 0,
  maximum: 999_999_999_999_999,
});
export const IF_NONE_MATCH = header('If-None-Match', 'ETag of the last answer: 304 when it still holds.', {
  type: 'string',
});
export const RANGE = header('Range', 'Only this part of the file, e.g. bytes=1000-.', { type: 'string' });

/** Headers of answers, besides those of HTTP itself and those that only browsers heed. */
export const TRACE: Json = { 'X-Trace-Id': text('Trace id of this request.') };
export const ETAG: Json = { ETag: { schema: { type: 'string' } } };
export const LOCATION: Json = { Location: { schema: { type: 'string' } } };
export const UNBUFFERED: Json = { 'X-Accel-Buffering': text('Always no: proxies pass events on as they come.') };
export const POLL: Json = {
  'Retry-After': { description: 'Seconds until it makes sense to ask again.', schema: { type: 'integer' } },
};

const CONTENT_RANGE: Json = { 'Content-Range': text('Which part this is, or how large the file is (416).') };

export const PROBLEM_HEADERS: Json = {
  ...TRACE,
  ...POLL,
  ...CONTENT_RANGE,
  'WWW-Authenticate': text('How to say who asks (401).'),
  Allow: text('The methods of the route (405).'),
};

const OF_FILES: Json = {
  ...TRACE,
  ...ETAG,
  'Content-Disposition': text('An attachment, with its name.'),
  'Repr-Digest': text('SHA-256 of the whole file (RFC 9530).'),
};
const WHOLE_OR_PART: Json = { ...OF_FILES, 'Accept-Ranges': text('bytes: Range is heeded.') };

/** No schema, as OpenAPI 3.1 wants it for files: some are JSON, others text. */
const FILE = { '*/*': {} };

export const fileResponses = (description: string): Json => ({
  200: { description, headers: WHOLE_OR_PART, content: FILE },
  206: {
    description: 'The part that Range asked for.',
    headers: { ...WHOLE_OR_PART, ...CONTENT_RANGE },
    content: FILE,
  },
  304: { description: 'The file is the same.', headers: OF_FILES },
});
