import type { Judged, SuppressInput } from '../model/contract/suppress.ts';
import { AppError, errorFacts } from '../model/errors.ts';
import { parseFindingId } from '../model/ids.ts';
import type { SuppressionStatus, SuppressionSubject } from '../model/suppression.ts';
import type { Finding } from '../findings/findings.ts';
import type { Ask, ScanDeps } from './deps.ts';
import { findFinding } from './get-finding.ts';
import { isoTime } from './time.ts';

type Deps = Pick<ScanDeps, 'queue' | 'findings' | 'files' | 'suppressions' | 'audit' | 'clock'>;

export type SuppressFinding = (input: SuppressInput, ask: Ask) => Promise<Judged>;

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;
/** Nobody knows what a finding will mean in more years than that. */
const MOST_DAYS = 730;

/**
 * Judges a finding, so that it is counted apart until the judgement expires; or takes that back. Who asked is kept and
 * audited, because text of a scanned system may have talked an agent into it.
 * @throws AppError finding_not_found, invalid_request, forbidden, quota_exceeded, queue_unavailable, storage_full
 */
export function createSuppressFinding(deps: Deps): SuppressFinding {
  return async (input, ask) => {
    const scanId = parseFindingId(input.finding_id)?.scanId;
    const facts = {
      caller: ask.caller,
      action: 'suppress',
      traceId: ask.traceId,
      ...(scanId ? { scanId } : {}),
    } as const;
    try {
      const expiresAt = expiryOf(input, deps.clock.now());
      const found = await findFinding(deps, input.finding_id, ask.caller.tenant);
      if (!found) throw new AppError('finding_not_found', 'There is no finding with this id.');
      requireRight(input, ask, found.finding);
      const { status, scope, reason } = input;
      const subject = subjectOf(scope, found.finding);
      const kept = status === 'active' ? {} : { expires_at: isoTime(expiresAt) };
      await deps.audit({ ...facts, decision: 'allowed', detail: { ...subject, status, scope, reason, ...kept } });
      if (status === 'active') await deps.suppressions.remove(ask.caller.tenant, subject);
      else
        await deps.suppressions.put(ask.caller.tenant, {
          ...subject,
          status,
          reason,
          who: ask.caller.name,
          ...(ask.caller.isOperator ? { byOperator: true } : {}),
          expiresAt,
        });
      return await asItHolds(deps, input, ask.caller);
    } catch (error) {
      const { status, scope } = input;
      const detail = { finding: input.finding_id, status, scope };
      await deps.audit({ ...facts, decision: errorFacts(error).code, detail });
      throw error;
    }
  };
}

const subjectOf = (scope: SuppressInput['scope'], { fingerprint, engine, rule_id }: Finding): SuppressionSubject =>
  scope === 'here' ? { fingerprint } : { engine, rule_id };

function expiryOf({ status, expires_at: asked }: SuppressInput, now: number): number {
  if (asked === undefined) return now + DEFAULT_DAYS * DAY_MS;
  if (status === 'active') throw new AppError('invalid_request', 'expires_at: what is active does not expire.');
  const expiresAt = Date.parse(asked);
  if (expiresAt > now && expiresAt <= now + MOST_DAYS * DAY_MS) return expiresAt;
  throw new AppError('invalid_request', `expires_at must lie in the future and within ${MOST_DAYS} days from now.`);
}

/** What hides much, or may have been asked for by the scanned system itself, is for a person to decide. */
function requireRight(input: SuppressInput, { caller }: Ask, { injection_signals: signals }: Finding): void {
  if (caller.isOperator || (input.status === 'active' && input.scope === 'here')) return;
  const refuse = (why: string): AppError =>
    new AppError('forbidden', why, { hint: `Operator: ${commandFor(input)}. Do not retry.` });
  if (input.scope === 'everywhere') throw refuse('scope: only an operator can judge a whole rule.');
  if (signals.length > 0) {
    throw refuse('The text of this finding looks like instructions to a model, so a person must judge it.');
  }
}

/** Without the reason: its words are for the one who types it. */
function commandFor({ finding_id: id, status, scope }: SuppressInput): string {
  const wide = scope === 'everywhere' ? ' --everywhere' : '';
  if (status === 'active') return `scanmux unsuppress ${id}${wide}`;
  return `scanmux suppress ${id} --status ${status}${wide} --reason <why>`;
}

async function asItHolds(
  deps: Deps,
  { finding_id: id, scope, status }: SuppressInput,
  { tenant, isOperator }: Ask['caller'],
): Promise<Judged> {
  const found = await findFinding(deps, id, tenant);
  if (!found) throw new AppError('finding_not_found', 'There is no finding with this id.');
  const { fingerprint, engine, rule_id, suppression } = found.finding;
  const { entries } = await deps.suppressions.inForce(tenant);
  const own = entries.find((entry) => entry.fingerprint === fingerprint);
  const { who } = own ?? entries.find((entry) => entry.engine === engine && entry.rule_id === rule_id) ?? {};
  return {
    summary: `${summary(scope, status, suppression)}${status !== 'active' && suppression && !isOperator ? NOT_FOR_INSTRUCTIONS : ''}`,
    finding_id: id,
    fingerprint,
    engine,
    rule_id,
    scope,
    status: suppression?.status ?? 'active',
    ...(suppression ? { reason: suppression.reason, expires_at: suppression.expires_at } : {}),
    ...(who === undefined ? {} : { who }),
  };
}

/** An equal finding elsewhere may hold text that this one has not; findings/suppressed.ts leaves it where it is. */
const NOT_FOR_INSTRUCTIONS =
  ' It never holds for a finding with injection_signals, also under this fingerprint: that stays active until a person judges it.';

const WORDS: Readonly<Record<SuppressionStatus, string>> = {
  false_positive: 'a false positive',
  accepted_risk: 'an accepted risk',
  mitigated: 'mitigated',
};

function summary(
  scope: SuppressInput['scope'],
  asked: SuppressInput['status'],
  suppression: Finding['suppression'],
): string {
  const what = scope === 'here' ? 'The finding' : 'Every finding of this rule';
  if (asked !== 'active' && suppression) {
    return `${what} counts as ${WORDS[suppression.status]} until ${suppression.expires_at}, in later scans too: it is left out of all counts and told apart as suppressed. Tell people so. status active takes it back.`;
  }
  if (!suppression) return `${what} is active: it counts as any other, in every scan.`;
  const other = scope === 'here' ? 'its whole rule' : 'this one finding';
  return `That judgement is taken back, but another one about ${other} still holds until ${suppression.expires_at}.`;
}
