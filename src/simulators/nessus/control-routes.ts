import type { IncomingMessage } from 'node:http';
import type { Answer } from './answer.ts';
import { Refusal, json, notFound, refusal } from './answer.ts';
import { Command, perform, type SimulatorControl } from './control.ts';
import type { Journal } from './journal.ts';

const LOOPBACK = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

/** A web page must not play with the simulator of whoever looks at it: no other host's name, no page's request. */
const isForeign = ({ headers }: IncomingMessage): boolean =>
  headers.origin !== undefined || !LOOPBACK.test(headers.host ?? '');

/** `/simulator/...`: what is for the tester, not for the client. Never in the journal. */
export function createControlRoutes(
  control: SimulatorControl,
  journal: Journal,
): (request: IncomingMessage, body: Buffer) => Answer {
  return (request, body) => {
    if (isForeign(request)) return refusal(new Refusal(403, 'Only for requests from this machine'));
    const [pathname = '/', search = ''] = (request.url ?? '/').split('?', 2);
    const ask = ROUTES[`${request.method} ${pathname}`];
    try {
      return ask ? ask(control, journal, { query: new URLSearchParams(search), body }) : refusal(notFound());
    } catch (error) {
      if (error instanceof Refusal) return refusal(error);
      if (error instanceof RangeError) return refusal(new Refusal(400, error.message));
      throw error;
    }
  };
}

interface Asked {
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

const ROUTES: Readonly<Record<string, (control: SimulatorControl, journal: Journal, asked: Asked) => Answer>> = {
  'GET /simulator/journal': (_, journal, { query }) =>
    json({ entries: journal.entries(Number(query.get('after') ?? 0)) }),
  'GET /simulator/state': (control) =>
    json({
      now: control.now(),
      scans: control.scans(),
      uploads: control.uploads(),
      sessions: control.openSessions(),
      in_flight: control.inFlight(),
    }),
  'POST /simulator/control': (control, _, { body }) => commanded(control, body),
};

function commanded(control: SimulatorControl, body: Buffer): Answer {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new Refusal(400, 'Invalid JSON');
  }
  const command = Command.safeParse(value);
  if (!command.success) throw new Refusal(400, command.error.issues[0]?.message ?? 'No such command');
  return json(perform(control, command.data) ?? {});
}
