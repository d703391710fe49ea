import { AsyncLocalStorage } from 'node:async_hooks';
import { createBullBoard } from '@bull-board/api';
import type { BeforeHook } from '@bull-board/api/typings/app';
import { Router, type RequestHandler } from 'express';
import { AppError, errorFacts, errorText } from '../../model/errors.ts';
import { isDeadLetter, isFinal, type ScanRecord } from '../../model/scan.ts';
import type { Ask } from '../../scans/deps.ts';
import { askOf } from '../ask.ts';
import type { HttpDeps } from '../deps.ts';
import { statusOfCode } from '../problem.ts';
import type { BoardActions } from './board-job.ts';
import { BoardPages } from './board-pages.ts';
import { PoolBoardQueue } from './board-queue.ts';
import { requireOperator, type OperatorLoginDeps } from './operator-login.ts';
import type { ScannerPools } from './scanner-pools.ts';

export type QueuesDeps = Pick<HttpDeps, 'operations' | 'log'> &
  OperatorLoginDeps & {
    readonly scans: Pick<HttpDeps['scans'], 'cancel' | 'deadLetters'>;
    readonly scanners: Pick<ScannerPools, 'pools'>;
  };

/** Where the app mounts the router: the page needs to know. */
export const BOARD_PATH = '/queues';

/** Scripts of our own only. The page's styles are partly inline. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
  "connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'";

/** The queue of all tenants as a page for operators: Bull Board, which reads, retries dead letters and cancels. */
export function createQueuesRouter(deps: QueuesDeps): Router {
  const asking = new AsyncLocalStorage<Ask>();
  const queueDeps = { operations: deps.operations, actions: createActions(deps.scans, asking) };
  const adapter = new BoardPages();
  adapter.setBasePath(BOARD_PATH);
  const known = new Map<string, PoolBoardQueue>();
  const { replaceQueues } = createBullBoard({
    queues: [],
    serverAdapter: adapter,
    options: {
      handlerHooks: { before: onlyKnownChanges },
      uiConfig: { boardTitle: 'scanmux', hideDocsLink: true, hideRedisDetails: true, showMetrics: false },
    },
  });
  // After createBullBoard, whose own would answer with the words of any error.
  adapter.setErrorHandler((error) => {
    if (!(error instanceof AppError)) deps.log.error({ err: error }, 'defect in the page for operators');
    const facts = errorFacts(error);
    return { status: boardStatus(statusOfCode(facts.code)), body: { error: errorText(facts) } };
  });
  const refreshPools: RequestHandler = async (_request, _response, next) => {
    const names = await poolNames(deps);
    for (const name of names) if (!known.has(name)) known.set(name, new PoolBoardQueue(name, queueDeps));
    replaceQueues([...known.values()].filter((queue) => names.has(queue.getName())));
    next();
  };
  const board: RequestHandler = adapter.getRouter();
  const router = Router();
  router.use((request, response, next) => {
    response.set('Content-Security-Policy', CONTENT_SECURITY_POLICY);
    // Their names change with their content.
    if (request.path.startsWith('/static/')) response.set('Cache-Control', 'private, max-age=86400');
    next();
  });
  router.use(requireOperator(deps));
  router.use('/api', refreshPools);
  router.use((request, response, next) => asking.run(askOf(request), () => board(request, response, next)));
  return router;
}

/** Pools of scanners.yaml, and those that were in it when scans came in which are still there. */
async function poolNames({ operations, scanners }: QueuesDeps): Promise<ReadonlySet<string>> {
  const { pools } = await operations.gauges();
  return new Set([...scanners.pools().map(({ name }) => name), ...pools.map(({ pool }) => pool)]);
}

/** Through the use cases, so that the audit log has them: for the scan's tenant, in the name of the operator. */
function createActions(scans: QueuesDeps['scans'], asking: AsyncLocalStorage<Ask>): BoardActions {
  const askFor = ({ tenant }: ScanRecord): Ask => {
    const ask = asking.getStore();
    if (!ask) throw new AppError('internal_error', 'An action of the board has nobody who asks for it.');
    return { ...ask, caller: { ...ask.caller, tenant } };
  };
  return {
    async cancel(scan) {
      if (isFinal(scan.state)) throw new AppError('invalid_request', 'The scan has ended; this page removes nothing.');
      await scans.cancel({ scan_id: scan.scanId, reason: 'cancelled by an operator at /queues' }, askFor(scan));
    },
    async retry(scan) {
      if (!isDeadLetter(scan.state)) throw new AppError('invalid_request', 'Only failed scans can be tried again.');
      await scans.deadLetters.retry(scan.scanId, askFor(scan));
    },
  };
}

const CHANGES: ReadonlySet<string> = new Set([
  '/api/queues/:queueName/:jobId/retry',
  '/api/queues/:queueName/:jobId/clean',
  '/api/queues/:queueName/retry/:queueStatus',
]);

const onlyKnownChanges: BeforeHook = ({ method, route }) =>
  method === 'get' || CHANGES.has(route)
    ? { allow: true }
    : { allow: false, status: 405, message: 'This page only retries failed scans and cancels unfinished ones.' };

/** The board knows a few. */
function boardStatus(status: number): 400 | 403 | 404 | 409 | 500 {
  const known = [400, 403, 404, 409] as const;
  return known.find((one) => one === status) ?? 500;
}
