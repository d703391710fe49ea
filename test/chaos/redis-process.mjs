// One worker process of the chaos tests on Redis: node redis-process.mjs <role> <settings as JSON>. It is plain
// JavaScript over dist/, because the oldest supported Node runs no TypeScript.
import { Redis } from 'ioredis';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../dist/platform/clock.js';
import { identityText, ownIdentity } from '../../dist/platform/process-identity.js';
import { clientOptions } from '../../dist/queue/redis/client-options.js';
import { openRedisQueue } from '../../dist/queue/redis/queue.js';

const [role, text] = process.argv.slice(2);
const { url, prefix, slots, settings, starts, isElsewhere } = JSON.parse(text);
const worker = isElsewhere ? `elsewhere-${process.pid}` : identityText(ownIdentity());

/** The server may be away at any moment: what it did not answer is asked again. */
async function sure(ask) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error.code !== 'queue_unavailable') throw error;
      await delay(20);
    }
  }
}

const connect = (purpose) => new Redis(url, clientOptions(purpose));
const { queue } = await sure(() =>
  openRedisQueue({ connect, prefix, clock: systemClock, settings, durability: 'reply' }),
);
const heart = setInterval(() => void queue.heartbeat(worker).catch(() => undefined), settings.leaseMs / 4);

/** The scanner: what was started there is found by its marker, by whoever looks. */
const wasStarted = (scanId) => readFileSync(starts, 'utf8').includes(`${scanId}\n`);

/** Two loops claim, start or adopt, and finish for ever; each step is told, so that the test can kill after any. */
async function claimAll() {
  const { signal } = new AbortController();
  const tell = (step, more = {}) => process.send({ step, ...more });
  const loop = async () => {
    for (;;) {
      const claim = await sure(() => queue.claim(worker, slots));
      if (!claim) {
        await queue.waitForWork(signal, 200);
        continue;
      }
      const { scanId } = claim.scan;
      tell('claimed', { active: Object.fromEntries(await sure(() => queue.activeByInstance())) });
      if (claim.checkpoint?.phase !== 'launched') {
        if (!(await sure(() => queue.checkpoint(claim, { phase: 'intent' })))) continue;
        tell('intent');
        if (!wasStarted(scanId)) appendFileSync(starts, `${scanId}\n`);
        tell('started');
        if (!(await sure(() => queue.checkpoint(claim, { phase: 'launched', reference: scanId })))) continue;
        tell('launched');
      }
      await sure(() => queue.finish(claim, { kind: 'completed', result: resultOf(claim) }));
      tell('finished');
    }
  };
  await Promise.all([loop(), loop()]);
}

/**
 * Claims one scan; when asked, tries every write there is and says what became of each. Idle between: it is stopped with
 * nothing under way.
 */
async function holdOne() {
  await queue.heartbeat(worker);
  const claim = await queue.claim(worker, slots);
  process.send({ step: 'claimed', scanId: claim.scan.scanId });
  await once(process, 'message');
  const shown = { percent: 99, phase: 'zombie', hosts_done: 1, hosts_total: 1, findings_so_far: 9, estimated: true };
  const writes = {
    renew: async () => (await queue.renew(claim)).owned,
    checkpoint: () => queue.checkpoint(claim, { phase: 'launched', reference: 'zombie' }),
    reading: () => queue.reading(claim),
    progress: () => queue.progress(claim, { ...shown, updated_at: new Date().toISOString() }, 'zombie'),
    ...Object.fromEntries(Object.entries(ENDS).map(([kind, end]) => [kind, () => queue.finish(claim, end(claim))])),
  };
  const taken = {};
  for (const [name, write] of Object.entries(writes)) taken[name] = (await sure(write)) ?? 'nothing said';
  process.send({ taken });
}

const AWAY = { code: 'scanner_unreachable', message: 'away', hint: 'wait', retryable: true };
const ENDS = {
  completed: (claim) => ({ kind: 'completed', result: resultOf(claim) }),
  failed: () => ({ kind: 'failed', error: AWAY }),
  cancelled: () => ({ kind: 'cancelled' }),
  released: () => ({ kind: 'released' }),
};

const resultOf = ({ epoch }) => ({
  verdict: 'not_tested',
  coverage: { requested: 1, tested: 0, partial: 0, unreachable: 0, not_tested: 1, looked_for: [], not_looked_for: [] },
  findings: epoch,
  by_severity: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
  artefacts: [],
});

process.on('disconnect', () => process.exit());
await { claim: claimAll, hold: holdOne }[role]();
clearInterval(heart);
await queue.close();
process.disconnect?.();
