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
const { url, prefix, slots, settings, starts } = JSON.parse(text);
const worker = identityText(ownIdentity());

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

/** Claims one scan; says what becomes of its write when asked to finish. Idle between: it is stopped with nothing under way. */
async function holdOne() {
  await queue.heartbeat(worker);
  const claim = await queue.claim(worker, slots);
  process.send({ step: 'claimed' });
  await once(process, 'message');
  process.send({ finished: await sure(() => queue.finish(claim, { kind: 'completed', result: resultOf(claim) })) });
}

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
