import { Router } from 'express';
import type { Ask } from '../../scans/deps.ts';
import { exportReport } from '../../tools/export-report.ts';
import { runTool } from '../../tools/run-tool.ts';
import type { HttpDeps } from '../deps.ts';
import { refuseMethod } from '../refusal.ts';
import { traceIdOf } from '../request-trace.ts';
import { sendFile } from './answers.ts';
import type { Downloads } from './downloads.ts';

type Deps = Pick<HttpDeps, 'scans'> & { readonly downloads: Downloads };

/** `GET /api/downloads/{token}`, to be mounted at the root without the authenticator: the link says who may. */
export function createDownloadRouter({ scans, downloads }: Deps): Router {
  const router = Router({ caseSensitive: true });
  router.get('/api/downloads/:token', async (request, response) => {
    const over = new AbortController();
    response.once('close', () => over.abort());
    const { caller, input } = await downloads.read(request.params.token);
    const ask: Ask = { caller, traceId: traceIdOf(request), signal: over.signal };
    const answer = await runTool(exportReport, input, () => Promise.resolve({ scans, ask, onProgress: undefined }));
    await sendFile(request, response, answer, input.scan_id);
  });
  router.all('/api/downloads/:token', refuseMethod(['GET', 'HEAD']));
  return router;
}
