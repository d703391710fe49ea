import { describe, expect, it } from 'vitest';
import type { ServerSecrets } from '../../src/queue/server-secrets.ts';

/** The promises every store of shared secrets makes. `open` gives another handle on the same store. */
export function describeServerSecretsContract(name: string, open: () => Promise<() => Promise<ServerSecrets>>): void {
  describe(`${name} keeps the contract of shared secrets`, () => {
    it('makes a secret once, whoever asks, however many at a time', async () => {
      const handle = await open();
      const servers = await Promise.all([handle(), handle(), handle()]);
      const first = await Promise.all(
        servers.flatMap((server) => [server.secret('downloads'), server.secret('downloads')]),
      );
      expect(new Set(first.map((secret) => secret.toString('hex'))).size).toBe(1);
      expect(first[0]?.length).toBe(32);
      const later = await (await handle()).secret('downloads');
      expect(later).toEqual(first[0]);
    });

    it('has another one for each name, and for each store', async () => {
      const [one, other] = [await (await open())(), await (await open())()];
      const secrets = await Promise.all([one.secret('a'), one.secret('b'), other.secret('a')]);
      expect(new Set(secrets.map((secret) => secret.toString('hex'))).size).toBe(3);
    });
  });
}
