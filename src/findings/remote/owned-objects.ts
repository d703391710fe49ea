import { createHash } from 'node:crypto';
import { devNull } from 'node:os';
import { SCAN_ID } from '../../model/ids.ts';
import { OWNER, ownersIn, type OwnedPlace } from '../owned-place.ts';
import type { Objects } from './objects.ts';

const NOTHING = { bytes: 0, sha256: createHash('sha256').digest('hex') };
const ADD_MS = 30_000;

/** The bucket, or the part of it, that `createRemoteFiles` keeps. @param url for people, without a slash at its end */
export const ownedObjects = (objects: Objects, url: string): OwnedPlace => ({
  nameOf: (owner) => `${url}/${OWNER}${owner}`,
  owners: async () => ownersIn((await objects.list(OWNER)).objects.map(({ key }) => key)),
  async scanIds() {
    const { objects: first } = await objects.list('scan_');
    return [...new Set(first.map(({ key }) => key.slice(0, key.indexOf('/'))))].filter((name) => SCAN_ID.test(name));
  },
  addOwner: (owner) => objects.put(OWNER + owner, devNull, NOTHING, AbortSignal.timeout(ADD_MS)),
});
