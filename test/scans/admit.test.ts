import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../src/policy/target.ts';
import type { PolicyAnswer, TargetDecision } from '../../src/policy/policy.ts';
import { refusalOf } from '../../src/scans/admit.ts';

const decision = (text: string, part: Partial<TargetDecision> = {}): TargetDecision => ({
  target: parseTarget(text),
  allowed: false,
  rule: 'default deny',
  reason: `${text} is outside the scope (default deny).`,
  fix: `Operator: scanmux policy allow ${text}.`,
  resolved: [],
  ...part,
});

const answer = (targets: readonly TargetDecision[], part: Partial<PolicyAnswer> = {}): PolicyAnswer => ({
  allowed: false,
  targets,
  hosts: targets.length,
  ...part,
});

describe('a refusal', () => {
  it('is none when everything is allowed', () => {
    const allowed = decision('127.0.0.1', { allowed: true });
    expect(refusalOf(answer([allowed], { allowed: true }))).toBeUndefined();
  });

  it('names the first targets, counts the rest and says the fix once', () => {
    const fix = 'Operator: scanmux policy allow 10.0.0.0/24.';
    const error = refusalOf(
      answer(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map((ip) => decision(ip, { fix }))),
    );
    expect(error?.message).toMatch(/10\.0\.0\.3 .* And 1 more target\.$/);
    expect(error?.hint).toBe(`${fix} Do not retry.`);
    expect(error?.targets).toHaveLength(4);
  });

  it('may pass only when nothing but names without an address stand in the way', () => {
    const nameless = decision('a.invalid', { unresolvable: true });
    expect(refusalOf(answer([nameless]))).toMatchObject({ code: 'target_unresolvable', retryable: true });
    expect(refusalOf(answer([nameless, decision('10.0.0.1')]))).toMatchObject({
      code: 'target_denied',
      targets: ['10.0.0.1'],
    });
  });

  it('for size names what is out of scope as well, and not what is only part of the request', () => {
    const refusal = { reason: 'The request covers 300 addresses.', fix: 'Scan smaller networks.' };
    const part = decision('127.0.0.1', { rule: 'max_hosts', reason: '127.0.0.1 is part of it.' });
    expect(refusalOf(answer([part], { refusal }))).toMatchObject({ message: refusal.reason, targets: undefined });
    const both = refusalOf(answer([part, decision('10.0.0.1')], { refusal }));
    expect(both?.message).toBe('The request covers 300 addresses. 10.0.0.1 is outside the scope (default deny).');
    expect(both?.hint).toBe('Scan smaller networks. Operator: scanmux policy allow 10.0.0.1. Do not retry.');
    expect(both?.targets).toEqual(['10.0.0.1']);
  });
});
