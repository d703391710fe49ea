import { z } from 'zod';
import type { Answer } from '../answer.ts';
import { json, nothing } from '../answer.ts';
import { bodyOf, type Call, type Route } from '../call.ts';
import { foundHosts } from '../hosts.ts';
import { launch, order, scanOf } from '../operations.ts';
import type { Order } from '../run.ts';
import { shownRun, shownStatus } from '../shown-scan.ts';
import { idOf, permitted } from './scan-writes.ts';

const Launch = z.object({ alt_targets: z.array(z.string().min(1)).optional() });

function start(call: Call): Answer {
  permitted(scanOf(call.server, idOf(call)), 32);
  const { alt_targets: targets } = bodyOf(call, Launch);
  return json({ scan_uuid: launch(call.server, idOf(call), targets) });
}

const ordering =
  (what: Order) =>
  (call: Call): Answer => {
    permitted(scanOf(call.server, idOf(call)), 32);
    order(call.server, idOf(call), what);
    return nothing();
  };

/** Whole hosts count, and the last one is done with the scan: so a scan of one host stays at 0 until its end. */
function progress(call: Call): Answer {
  const now = call.server.clock.now();
  const run = shownRun(scanOf(call.server, idOf(call)), now);
  if (!run || run.end) return json({ progress: run ? 100 : 0 });
  const done = foundHosts(run, now).filter(({ percent }) => percent === 100).length;
  return json({ progress: Math.floor((100 * Math.min(done, run.targets.length - 1)) / run.targets.length) });
}

function latestStatus(call: Call): Answer {
  const now = call.server.clock.now();
  return json({ status: shownStatus(shownRun(scanOf(call.server, idOf(call)), now), now) });
}

function schedule(call: Call): Answer {
  permitted(scanOf(call.server, idOf(call)), 64);
  return json({ control: true, enabled: call.query.get('enabled') === 'true', rrules: null, starttime: null });
}

/** Not the state of the run, but whether somebody has read it. */
function markRead(call: Call): Answer {
  const scan = scanOf(call.server, idOf(call));
  const body = bodyOf(call, z.object({ read: z.boolean().optional() }));
  call.server.state.put({ ...scan, isRead: body.read ?? call.query.get('read') === 'true' });
  return nothing();
}

export const CONTROL_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/scans/{id}/launch', needsScanApi: true, handle: start },
  { method: 'POST', path: '/scans/{id}/pause', needsScanApi: true, handle: ordering('pause') },
  { method: 'POST', path: '/scans/{id}/resume', needsScanApi: true, handle: ordering('resume') },
  { method: 'POST', path: '/scans/{id}/stop', needsScanApi: true, handle: ordering('stop') },
  { method: 'POST', path: '/scans/{id}/kill', needsScanApi: true, only: 'self_hosted', handle: ordering('kill') },
  { method: 'POST', path: '/scans/{id}/force-stop', only: 'cloud', handle: ordering('kill') },
  { method: 'GET', path: '/scans/{id}/latest-status', only: 'cloud', handle: latestStatus },
  { method: 'GET', path: '/scans/{id}/progress', only: 'cloud', handle: progress },
  { method: 'PUT', path: '/scans/{id}/status', handle: markRead },
  { method: 'PUT', path: '/scans/{id}/schedule', handle: schedule },
];
