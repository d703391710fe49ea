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
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://simulator');
    try {
      if (request.method === 'POST' && pathname === '/simulator/control') return commanded(control, body);
      if (request.method === 'GET' && pathname === '/simulator/journal')
        return json({ entries: journal.entries(Number(searchParams.get('after') ?? 0)) });
      if (request.method === 'GET' && pathname === '/simulator/state')
        return json({
          now: control.now(),
          scans: control.scans(),
          uploads: control.uploads(),
          sessions: control.openSessions(),
        });
      throw notFound();
    } catch (error) {
      if (error instanceof Refusal) return refusal(error);
      if (error instanceof RangeError) return refusal(new Refusal(400, error.message));
      throw error;
    }
  };
}

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
