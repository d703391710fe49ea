import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { ScanQueue } from '../../src/queue/queue.ts';
import { identityText, ownIdentity } from '../../src/platform/process-identity.ts';
import { openBrowser } from '../findings/exports/browser.ts';
import { ACME_ADMIN, ADMIN, AGENT, newScan, startObserved } from './observe-lab.ts';

const SLOTS = [{ pool: 'web', instance: 'one', limit: 9 }];
const WORKER = identityText(ownIdentity());
const basic = (password: string): string => `Basic ${Buffer.from(`me:${password}`).toString('base64')}`;

const Board = z.object({
  queues: z.array(
    z.object({
      name: z.string(),
      counts: z.record(z.string(), z.number()),
      jobs: z.array(z.object({ id: z.string(), name: z.string(), failedReason: z.string(), data: z.looseObject({}) })),
      pagination: z.object({ pageCount: z.number() }),
    }),
  ),
});

async function board(url: string, query: string) {
  const answer = await fetch(`${url}/queues/api/queues?${query}`, { headers: ADMIN });
  expect(answer.status).toBe(200);
  return Board.parse(await answer.json()).queues;
}

/** Submits a scan and lets it fail for good. */
async function deadLetter(queue: ScanQueue, tenant = 'local'): Promise<string> {
  const scan = newScan({ targets: ['dead.example.com'] }, { tenant });
  await queue.submit(scan);
  const claim = await queue.claim(WORKER, SLOTS);
  if (claim?.scan.scanId !== scan.scanId) throw new Error('another scan was waiting');
  const error = { code: 'scan_aborted', message: 'The engine fell over.', hint: 'Try again.', retryable: true };
  await queue.finish(claim, { kind: 'failed', error });
  return scan.scanId;
}

it('is for operators only, who may show their key as a password', async () => {
  const { url } = await startObserved();
  const status = async (authorization?: string, path = '/queues/'): Promise<number> =>
    (await fetch(`${url}${path}`, { headers: authorization === undefined ? {} : { authorization } })).status;
  expect(await status(ADMIN.authorization)).toBe(200);
  expect(await status(basic('admin-key'))).toBe(200);
  expect(await status(AGENT.authorization)).toBe(403);
  expect(await status(basic('agent-key'))).toBe(403);
  expect(await status(basic('wrong'))).toBe(401);
  expect(await status('Basic !!!')).toBe(401);
  expect(await status(undefined, '/queues/static/js/main.js')).toBe(401);
  expect(await status(undefined, '/queues/api/queues')).toBe(401);
  const asked = await fetch(`${url}/queues/`);
  expect([asked.status, asked.headers.get('www-authenticate')]).toEqual([401, expect.stringMatching(/^Basic realm=/)]);
});

it('is for the tenants that run the service: an admin of another one sees and changes nothing there', async () => {
  const { url, queue, audited } = await startObserved();
  const waiting = newScan({ targets: ['private.example.com'] });
  await queue.submit(waiting);
  for (const [method, path] of [
    ['GET', '/queues/'],
    ['GET', '/queues/api/queues'],
    ['GET', `/queues/api/queues/web/${waiting.scanId}`],
    ['PUT', `/queues/api/queues/web/${waiting.scanId}/clean`],
  ] as const) {
    const answer = await fetch(url + path, { method, headers: ACME_ADMIN });
    const text = await answer.text();
    expect([path, answer.status, text.includes('private')]).toEqual([path, 403, false]);
    expect(JSON.parse(text)).toMatchObject({ code: 'forbidden', hint: expect.stringContaining('operator_tenants') });
  }
  expect((await fetch(`${url}/queues/`, { headers: { authorization: basic('acme-admin-key') } })).status).toBe(403);
  expect((await queue.get('local', waiting.scanId))?.state).toBe('queued');
  expect(audited).toEqual([]);
});

it('is for other tenants, or all, where the settings say so', async () => {
  for (const [operatorTenants, statuses] of [
    [['acme'], [403, 200]],
    [['*'], [200, 200]],
  ] as const) {
    const { url } = await startObserved({}, { operatorTenants });
    const answers = await Promise.all([ADMIN, ACME_ADMIN].map((headers) => fetch(`${url}/queues/`, { headers })));
    expect(answers.map(({ status }) => status)).toEqual(statuses);
  }
});

it('fetches nothing from elsewhere, and does not say what serves it', async () => {
  const { url } = await startObserved();
  for (const path of ['/queues/', '/queues/queue/web', '/queues/api/queues']) {
    const answer = await fetch(url + path, { headers: ADMIN });
    expect([path, answer.status, answer.headers.get('x-powered-by')]).toEqual([path, 200, null]);
    expect(await answer.text()).not.toMatch(/(?:href|src)="https?:/);
  }
});

it('lists every tenant, in the words of the board, by page', async () => {
  const { url, queue } = await startObserved();
  await deadLetter(queue, 'other');
  for (let i = 0; i < 12; i += 1) await queue.submit(newScan({ targets: [`h${i}.example.com`] }));
  await queue.claim(WORKER, SLOTS);
  const [all] = await board(url, 'activeQueue=web&status=latest&page=1&jobsPerPage=10');
  expect(all?.counts).toMatchObject({ active: 1, waiting: 11, delayed: 0, completed: 0, failed: 1 });
  const [second] = await board(url, 'activeQueue=web&status=waiting&page=2&jobsPerPage=10');
  expect([second?.jobs.length, second?.pagination.pageCount]).toEqual([1, 2]);
  const [failed] = await board(url, 'activeQueue=web&status=failed&page=1&jobsPerPage=10');
  expect(failed?.jobs).toMatchObject([
    {
      name: 'untrusted scan of dead.example.com',
      failedReason: 'scan_aborted: The engine fell over. Try again.',
      data: { tenant: 'other', targets: ['dead.example.com'], state: 'failed' },
    },
  ]);
});

it('cancels and retries through the use cases, for the tenant of the scan, in the name of the operator', async () => {
  const { url, queue, audited } = await startObserved();
  const dead = await deadLetter(queue, 'other');
  const waiting = newScan({}, { tenant: 'third' });
  await queue.submit(waiting);
  const put = (id: string, action: string) =>
    fetch(`${url}/queues/api/queues/web/${id}/${action}`, { method: 'PUT', headers: ADMIN });
  expect((await put(dead, 'retry')).status).toBe(204);
  expect((await put(waiting.scanId, 'clean')).status).toBe(204);
  expect((await queue.get('other', dead))?.state).toBe('queued');
  expect((await queue.get('third', waiting.scanId))?.state).toBe('cancelled');
  expect(audited).toMatchObject([
    { action: 'dead_letter_retry', scanId: dead, caller: { tenant: 'other', name: 'key:admin' } },
    { action: 'cancel', scanId: waiting.scanId, caller: { tenant: 'third', name: 'key:admin' } },
  ]);
  expect((await put(waiting.scanId, 'clean')).status).toBe(400);
  expect((await put(waiting.scanId, 'retry')).status).toBe(400);
});

it('changes nothing else', async () => {
  const { url, queue, audited } = await startObserved();
  const scan = newScan();
  await queue.submit(scan);
  const changes: [string, string][] = [
    ['POST', 'web/add'],
    ['PUT', 'web/pause'],
    ['PUT', 'web/empty'],
    ['PUT', 'web/obliterate'],
    ['PUT', 'web/promote'],
    ['PUT', 'web/clean/waiting'],
    ['PUT', 'web/concurrency'],
    ['PUT', 'pause'],
    ['PATCH', `web/${scan.scanId}/update-data`],
    ['PUT', `web/${scan.scanId}/promote`],
  ];
  for (const [method, path] of changes) {
    const headers = { ...ADMIN, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/queues/api/queues/${path}`, { method, headers, body: '{}' });
    expect([path, answer.status]).toEqual([path, 405]);
  }
  const foreign = await fetch(`${url}/queues/api/queues/web/${scan.scanId}/clean`, {
    method: 'PUT',
    headers: { ...ADMIN, 'sec-fetch-site': 'cross-site' },
  });
  expect(foreign.status).toBe(403);
  expect((await queue.get('local', scan.scanId))?.state).toBe('queued');
  expect(audited).toEqual([]);
});

it('says nothing of its insides when something breaks', async () => {
  const { url, operations } = await startObserved();
  operations.list = () => Promise.reject(new Error('secret place'));
  const answer = await fetch(`${url}/queues/api/queues`, { headers: ADMIN });
  const text = await answer.text();
  expect([answer.status, text.includes('secret')]).toEqual([500, false]);
});

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

/** Opens the page as an operator, and notes whatever should not happen. */
async function openBoard(url: string, path: string): Promise<{ page: Page; trouble: string[] }> {
  const context = await browser.newContext({ httpCredentials: { username: 'me', password: 'admin-key' } });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('dialog', (dialog) => {
    trouble.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  page.on('response', (response) => {
    if (!response.url().startsWith(url)) trouble.push(`answer from ${response.url()}`);
  });
  await page.goto(`${url}${path}`);
  return { page, trouble };
}

const HOSTILE = '"><img src=x onerror="alert(1)"><script>alert(2)</script></script><svg onload=alert(3)>{{7*7}}';

it('shows a scan in a real browser, and runs nothing that a scanned system or a caller wrote', async () => {
  const { url, queue } = await startObserved();
  const scan = newScan(
    { targets: [`https://x.example.com/${HOSTILE}`, 'javascript:alert(4)'], project_id: HOSTILE },
    { name: `hostile ${HOSTILE}`, description: HOSTILE },
  );
  await queue.submit(scan);
  const claim = await queue.claim(WORKER, SLOTS);
  if (!claim) throw new Error('nothing to claim');
  const error = { code: 'scan_aborted', message: HOSTILE, hint: HOSTILE, retryable: false };
  await queue.finish(claim, { kind: 'failed', error });

  const list = await openBoard(url, '/queues/queue/web?status=failed');
  await list.page.getByText('hostile "><img').first().waitFor();
  const job = await openBoard(url, `/queues/queue/web/${scan.scanId}`);
  await job.page.getByText(scan.scanId).first().waitFor();
  await job.page
    .getByRole('button', { name: 'Data' })
    .or(job.page.getByRole('tab', { name: 'Data' }))
    .first()
    .click();
  await job.page.getByText('x.example.com').first().waitFor();
  for (const { page, trouble } of [list, job]) {
    // An image that fails to load says so in a later turn.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
    expect(trouble).toEqual([]);
    expect(await page.locator('img[src="x"], svg[onload], a[href^="javascript:"]').count()).toBe(0);
  }
});

/** Icons of the buttons that can be seen in the page, without those that only copy text. */
const buttonsOf = (page: Page): Promise<readonly string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll('section button:not([class*="copyBtn"]), [role="menuitem"]')]
      .filter((button) => button.checkVisibility())
      .flatMap(
        (button) => /lucide-([a-z0-9-]+)/.exec(button.querySelector('svg')?.getAttribute('class') ?? '')?.[1] ?? [],
      )
      .toSorted(),
  );

it('offers what it can do, and nothing that it would refuse', async () => {
  const { url, queue } = await startObserved();
  const dead = await deadLetter(queue);
  const error = { code: 'scan_aborted', message: 'Away.', hint: 'Wait.', retryable: true };
  const ids: Record<string, string> = { failed: dead };
  for (const [tab, outcome] of [
    ['delayed', { kind: 'retry', error, delayMs: 9_000_000 }],
    ['completed', { kind: 'cancelled' }],
    ['active', undefined],
    ['waiting', undefined],
  ] as const) {
    const { scan } = await queue.submit(newScan({ targets: [`${tab}.example.com`] }));
    ids[tab] = scan.scanId;
    const claim = tab === 'waiting' ? undefined : await queue.claim(WORKER, SLOTS);
    if (claim && outcome) await queue.finish(claim, outcome);
  }
  const { page } = await openBoard(url, '/queues/');
  await page.locator('section button[aria-haspopup="menu"]').first().click();
  await page.getByRole('menuitem', { name: 'Sort by' }).waitFor();
  expect(await buttonsOf(page)).toEqual(['arrow-up-down', 'ellipsis-vertical', 'refresh-cw']);
  const offered: Record<string, readonly string[]> = {};
  await page.goto(`${url}/queues/queue/web?status=paused`);
  for (const [tab, id] of Object.entries(ids)) {
    await page.locator(`section a[href$="?status=${tab}"]`).click();
    await page.getByText(id).first().waitFor();
    offered[tab] = await buttonsOf(page);
  }
  expect(offered).toEqual({
    failed: ['refresh-cw', 'refresh-cw'], // all, and this one
    delayed: ['trash2'],
    completed: [],
    active: [],
    waiting: ['trash2'],
  });
  await page.locator('section button:visible:has(.lucide-trash-2)').click();
  await page.getByRole('button', { name: 'Confirm' }).click();
  const stateNow = async () => (await queue.get('local', ids['waiting'] ?? ''))?.state;
  await expect.poll(stateNow, { timeout: 20_000 }).toBe('cancelled');
});
