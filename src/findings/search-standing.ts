import { createDetails, readProtocols } from './finding-details.ts';
import { createLookProof, type HostProof } from './look-proof.ts';
import { absentTest } from './marked-absent.ts';
import { NO_SUPPRESSIONS } from './findings.ts';
import type { OpenFiles } from './open-files.ts';
import type { OpenFindings } from './open-findings.ts';
import { createPlaceNames } from './place-names.ts';
import { readLook } from './read-look.ts';
import { MAX_HIT_PLACES, type Seen, type StandingInput, type StandingOutput } from './searching.ts';
import { selectFindings } from './select.ts';
import { spellingsIn } from './spellings.ts';

/**
 * Where a file has what is asked about, suppressed or not, and none of some newer scans is proven to have looked for it
 * again: by the proof of comparisons, so that what is not found is what a comparison calls fixed.
 * @throws AppError invalid_request, storage_unusable
 */
export const whereStanding = (files: OpenFiles, input: StandingInput): Promise<StandingOutput> =>
  files.use(input.file, async (file) => {
    const isAbsent = absentTest(file);
    const { matches } = selectFindings(file, { ...input.filter, include_suppressed: true }, NO_SUPPRESSIONS);
    let left: Uint32Array = matches.filter((index) => !isAbsent(index));
    for (const newer of input.newer) {
      if (left.length === 0) break;
      left = await files.use(newer.file, (head) => notProven(left, { file, head, facts: newer.facts }, input));
    }
    return seenAt(file, left);
  });

interface Sides {
  readonly file: OpenFindings;
  readonly head: OpenFindings;
  readonly facts: StandingInput['facts'];
}

function notProven(left: Uint32Array, { file, head, facts }: Sides, input: StandingInput): Uint32Array {
  // A place of an address is asked about as such: what is there by any name would have been found at it.
  const prover = { ...readLook(head, facts), hasLabel: () => true, namesAddress: () => false };
  const proof = createLookProof(prover, readLook(file, input.facts));
  const details = createDetails(file);
  const protocols = readProtocols(file, left);
  const byHost = new Map<number, HostProof>();
  return left.filter((index) => {
    const host = file.host[index] ?? 0;
    const atHost = byHost.get(host) ?? proof.at(details.host(host));
    byHost.set(host, atHost);
    return (
      atHost.lackOf({
        rule: details.rule(file.rule[index] ?? 0),
        port: file.port[index] ?? 0,
        protocol: () => protocols.get(file.body[index] ?? 0) ?? 'tcp',
        url: () => details.place(index).url,
      }) !== undefined
    );
  });
}

function seenAt(file: OpenFindings, indices: Uint32Array): StandingOutput {
  const protocols = readProtocols(file, indices);
  const spellings = spellingsIn(file);
  const namesOf = createPlaceNames(file);
  const seen = new Map<string, Seen>();
  for (const index of indices) {
    const port = Math.max(file.port[index] ?? 0, 0);
    const protocol = protocols.get(file.body[index] ?? 0) ?? 'tcp';
    for (const place of namesOf(file.host[index] ?? 0, port)) {
      if (seen.size >= MAX_HIT_PLACES) return { seen: [...seen.values()], isCut: true };
      const key = `${place} ${port} ${protocol}`;
      if (!seen.has(key)) seen.set(key, { place, port, protocol, also: [...(spellings.get(place) ?? [])] });
    }
  }
  return { seen: [...seen.values()], isCut: false };
}
