/** What the simulated server answers. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Download;
}

/** A body that is made while it is sent. */
export interface Download {
  readonly pieces: () => AsyncIterable<string> | Iterable<string>;
  /** Bytes, when the server announces them. */
  readonly length?: number;
}

/** Nessus refuses: becomes `{"error": message}`. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' };

export const json = (value: unknown, status = 200): Answer => ({
  status,
  headers: JSON_TYPE,
  body: JSON.stringify(value),
});

/** 200 with nothing in it, as many writes answer. */
export const nothing = (): Answer => ({ status: 200, headers: JSON_TYPE, body: '' });

export const refusal = ({ status, message }: Refusal): Answer => json({ error: message }, status);

export const notFound = (): Refusal => new Refusal(404, 'The requested file was not found.');

export const htmlPage = (status: number, title: string): Answer => ({
  status,
  headers: { 'Content-Type': 'text/html' },
  body: `<html>\n<head><title>${status} ${title}</title></head>\n<body>\n<center><h1>${status} ${title}</h1></center>\n<hr><center>proxy</center>\n</body>\n</html>\n`,
});
