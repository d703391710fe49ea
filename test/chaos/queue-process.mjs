// One process of the chaos tests at the queue port: node queue-process.mjs <role> <settings as JSON>. It is plain
// JavaScript over dist/, because the oldest supported Node runs no TypeScript.
import { once } from 'node:events';
import { newScanId, newTraceId } from '../../dist/model/ids.js';
import { systemClock } from '../../dist/platform/clock.js';
import { identityText, ownIdentity } from '../../dist/platform/process-identity.js';
import { createSqliteQueue } from '../../dist/queue/sqlite/queue.js';

const [role, text] = process.argv.slice(2);
const { folder, submits, keys, slots, settings } = JSON.parse(text);
const queue = await createSqliteQueue({ folder, clock: systemClock, settings });

const REQUEST = {
  access: 'untrusted',
  targets: ['127.0.0.1'],
  pool: 'nmap',
  intensity: 'standard',
  priority: 5,
  max_duration_minutes: 60,
};

/** Every submit uses one of the shared keys; the request hash belongs to the key. */
async function submitAll() {
  const scanByKey = {};
  const errors = [];
  let differing = 0;
  for (let n = 0; n < submits; n++) {
    const key = `shared-key-${(n * 7) % keys}`;
    try {
      const { scan } = await queue.submit({
        scanId: newScanId(),
        traceId: newTraceId(),
        tenant: 'local',
        engine: 'nmap',
        idempotencyKey: key,
        requestHash: `hash of ${key}`,
        request: REQUEST,
      });
      if (scanByKey[key] !== undefined && scanByKey[key] !== scan.scanId) differing += 1;
      scanByKey[key] = scan.scanId;
    } catch (error) {
      errors.push(error.code ?? error.message);
    }
  }
  process.send({ scanByKey, errors, differing });
}

/** Two loops claim, checkpoint, and finish for ever; each step is told, so that the test can kill after any. */
async function claimAll() {
  const worker = identityText(ownIdentity());
  const { signal } = new AbortController();
  const tell = (step, more = {}) => process.send({ step, ...more });
  const loop = async () => {
    for (;;) {
      const claim = await queue.claim(worker, slots);
      if (!claim) {
        await queue.waitForWork(signal, 200);
        continue;
      }
      tell('claimed', { active: Object.fromEntries(await queue.activeByInstance()) });
      const { checkpoint: found, instance } = claim;
      if (found && found.instance !== instance) tell('astray');
      await queue.checkpoint(claim, { phase: 'intent' });
      tell('intent');
      await queue.checkpoint(claim, { phase: 'launched', reference: claim.scan.scanId });
      tell('launched');
      await queue.finish(claim, { kind: 'completed', result: resultOf(claim) });
      tell('finished');
    }
  };
  await Promise.all([loop(), loop()]);
}

/** Claims one scan; says what becomes of its write when asked to finish. Idle between: it is stopped holding no lock. */
async function holdOne() {
  const worker = identityText(ownIdentity());
  await queue.heartbeat(worker);
  const claim = await queue.claim(worker, slots);
  process.send({ step: 'claimed' });
  await once(process, 'message');
  process.send({ finished: await queue.finish(claim, { kind: 'completed', result: resultOf(claim) }) });
}

const resultOf = ({ epoch }) => ({
  verdict: 'not_tested',
  coverage: { requested: 1, tested: 0, partial: 0, unreachable: 0, not_tested: 1, looked_for: [], not_looked_for: [] },
  findings: epoch,
  by_severity: { critical: 0, high: 0, medium: 0, low: 0, info: 0 },
  artefacts: [],
});

process.on('disconnect', () => process.exit());
await { submit: submitAll, claim: claimAll, hold: holdOne }[role]();
process.disconnect?.();
