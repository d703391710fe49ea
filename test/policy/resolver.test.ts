import { describe, expect, it } from 'vitest';
import { resolveName, systemLookup } from '../../src/policy/resolver.ts';

const hasIpv6 = () => ({ loopback: true, global: true });
const never = () => new Promise<readonly string[]>(() => {});
const open = new AbortController().signal;

describe('resolveName', () => {
  it('gives up on a resolver that does not answer', async () => {
    const found = await resolveName('a.example', { lookup: never, hasIpv6, timeoutMs: 5 }, open);
    expect(found).toEqual({ kind: 'none', why: 'was not resolved within 5 ms' });
  });

  it('stops waiting when the caller goes away, with the reason of the caller', async () => {
    const client = new AbortController();
    const pending = resolveName('a.example', { lookup: never, hasIpv6 }, client.signal);
    client.abort(new Error('client left'));
    await expect(pending).rejects.toThrow('client left');
  });

  it('unwraps and writes addresses in one form, each once', async () => {
    const lookup = () => Promise.resolve(['::ffff:8.8.8.8', '8.8.8.8', '2001:DB8:0::1', 'fe80::1%lo']);
    const found = await resolveName('a.example', { lookup, hasIpv6 }, open);
    expect(found).toEqual({ kind: 'found', addresses: ['8.8.8.8', '2001:db8::1', 'fe80::1%lo'] });
  });

  it('takes no answer for none', async () => {
    const found = await resolveName('a.example', { lookup: () => Promise.resolve([]), hasIpv6 }, open);
    expect(found).toEqual({ kind: 'none', why: 'has no address' });
  });

  it('does not ask anybody about localhost', async () => {
    const lookup = () => Promise.resolve(['203.0.113.9']);
    expect(await resolveName('localhost', { lookup, hasIpv6 }, open)).toEqual({
      kind: 'found',
      addresses: ['127.0.0.1', '::1'],
    });
  });

  it('asks the system, hosts file included', async () => {
    expect(await systemLookup('localhost')).toContain('127.0.0.1');
  });
});
