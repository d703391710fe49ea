import { z } from 'zod';
import type { Answer } from '../answer.ts';
import { Refusal, json, notFound } from '../answer.ts';
import { bodyOf, type Call, type Route } from '../call.ts';
import { exportBody, exportOf, exportStatus, startExport } from '../exports.ts';
import { scanOf } from '../operations.ts';
import { idOf } from './scan-writes.ts';

const Export = z.object({ format: z.enum(['nessus', 'csv', 'html', 'pdf', 'db']) });

function start(call: Call): Answer {
  const { format } = bodyOf(call, Export);
  const scan = scanOf(call.server, idOf(call));
  // The other formats are known to exist; what they hold is not simulated.
  if (format !== 'nessus') throw new Refusal(400, "Invalid 'format' field");
  const historyId = call.query.get('history_id');
  const { file, token } = startExport(call.server, scan, historyId === null ? undefined : Number(historyId));
  const isCloud = call.server.scenario.edition === 'tenable_vm';
  const shown = { file: isCloud ? file : Number(file) };
  switch (call.server.scenario.exports.answer) {
    case 'token_and_file':
      return json({ token, ...shown });
    case 'temp_token':
      return json({ ...shown, temp_token: token });
    case 'file':
      return json(shown);
  }
}

type RouteName = 'file' | 'tokens' | 'scans_exports';

/** A route that this version of the server has not is an unknown path. */
function keyOf({ server, params }: Call, route: RouteName): string {
  if (!server.scenario.exports.routes.includes(route)) throw notFound();
  return params['file'] ?? params['token'] ?? '';
}

const status =
  (route: RouteName) =>
  (call: Call): Answer => {
    const job = exportOf(call.server, keyOf(call, route), route === 'file' ? idOf(call) : undefined);
    const is = exportStatus(call.server, job);
    return json({ status: is, ...(is === 'error' ? { message: 'The report could not be generated.' } : {}) });
  };

const download =
  (route: RouteName) =>
  (call: Call): Answer => {
    const job = exportOf(call.server, keyOf(call, route), route === 'file' ? idOf(call) : undefined);
    const body = exportBody(call.server, job);
    const length = body.length === undefined ? {} : { 'Content-Length': String(body.length) };
    return {
      status: 200,
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Disposition': `attachment; filename="scan_${job.file}.nessus"`,
        ...length,
      },
      body,
    };
  };

const formats = (): Answer =>
  json([
    { type: 'attribute', name: 'nessus', value: 'Nessus' },
    { type: 'attribute', name: 'csv', value: 'CSV' },
  ]);

export const EXPORT_ROUTES: readonly Route[] = [
  { method: 'POST', path: '/scans/{id}/export', handle: start },
  { method: 'GET', path: '/scans/{id}/export/formats', handle: formats },
  { method: 'GET', path: '/scans/{id}/export/{file}/status', handle: status('file') },
  { method: 'GET', path: '/scans/{id}/export/{file}/download', handle: download('file') },
  { method: 'GET', path: '/tokens/{token}/status', only: 'self_hosted', handle: status('tokens') },
  { method: 'GET', path: '/tokens/{token}/download', only: 'self_hosted', handle: download('tokens') },
  { method: 'GET', path: '/scans/exports/{token}/download', only: 'self_hosted', handle: download('scans_exports') },
];
