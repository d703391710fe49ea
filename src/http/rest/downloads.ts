import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Scope, type Caller } from '../../model/caller.ts';
import { ExportInput } from '../../model/contract/export.ts';
import { AppError } from '../../model/errors.ts';
import type { Clock } from '../../platform/clock.ts';
import type { ServerSecrets } from '../../queue/server-secrets.ts';
import type { DownloadUrl } from '../../tools/tool.ts';

/** Long enough to click or to hand on to a program, too short to be worth stealing from a log. */
const GOOD_FOR_MS = 5 * 60_000;
const MAX_TOKEN_CHARS = 4_096;
const SHAPE = /^([\w-]+)\.([\w-]+)$/;

/** What a link lets its holder do: fetch this one export, as the tenant that asked for it. */
const Grant = z.strictObject({
  tenant: z.string(),
  name: z.string(),
  input: ExportInput,
  /** Epoch milliseconds. */
  until: z.int(),
});

export interface Granted {
  readonly caller: Caller;
  readonly input: ExportInput;
}

/** Links to exports that any server of the queue can check; nothing is kept of them. */
export interface Downloads {
  tokenFor(input: ExportInput, caller: Caller): Promise<string>;
  /** @throws AppError forbidden for a token that was never given out, or too long ago */
  read(token: string): Promise<Granted>;
}

interface Deps {
  readonly secrets: ServerSecrets;
  readonly clock: Clock;
}

export function createDownloads({ secrets, clock }: Deps): Downloads {
  const sign = async (text: string): Promise<Buffer> =>
    createHmac('sha256', await secrets.secret('downloads'))
      .update(text)
      .digest();
  return {
    async tokenFor(input, { tenant, name }) {
      const grant = { tenant, name, input, until: clock.now() + GOOD_FOR_MS };
      const text = Buffer.from(JSON.stringify(grant)).toString('base64url');
      return `${text}.${(await sign(text)).toString('base64url')}`;
    },
    async read(token) {
      // As it was given out, to the letter: decoding would pass over what is appended.
      const [, text = '', signature = ''] = token.length > MAX_TOKEN_CHARS ? [] : (SHAPE.exec(token) ?? []);
      const [given, due] = [Buffer.from(signature), Buffer.from((await sign(text)).toString('base64url'))];
      if (given.length !== due.length || !timingSafeEqual(given, due)) throw notGood();
      const grant = Grant.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
      if (grant.until < clock.now()) throw notGood();
      const { tenant, name, input } = grant;
      return { input, caller: { tenant, name: `link:${name}`, isOperator: false, scopes: READS } };
    },
  };
}

const READS: ReadonlySet<Scope> = new Set<Scope>(['scan:read']);

const notGood = (): AppError =>
  new AppError('forbidden', 'This link is not, or no longer, good.', {
    hint: 'Links are good for five minutes: ask for a new one over MCP, or for the report itself with a key.',
  });

/** @param baseUrl Where callers reach this server: `http.public_url`, or the address it listens on. */
export const createDownloadUrl =
  (downloads: Downloads, baseUrl: () => string): DownloadUrl =>
  async (input, { caller }) =>
    `${baseUrl().replace(/\/+$/, '')}/api/downloads/${await downloads.tokenFor(input, caller)}`;
