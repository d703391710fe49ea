import { createReadStream } from 'node:fs';
import { addressOf } from '../targets.ts';
import { escaped } from './words.ts';

const HOST = /<ReportHost\s[^>]*?name="([^"]*)"[^>]*>/;
const HOST_END = '</ReportHost>';
/** Tags that say who the host is. */
const NAME_TAG = /<tag name="(host-ip|host-fqdn|host-rdns|hostname|netbios-name)">[^<]*<\/tag>/g;
/** Longer than any start of a host up to the end of its properties. */
const MOST_HELD = 8 << 20;

/**
 * A `.nessus` file as if its hosts had been the targets of this scan: the first host takes the first target, and so on;
 * hosts beyond that are left out. Streams.
 */
export async function* renamedReport(path: string, targets: readonly string[]): AsyncGenerator<string> {
  const names = new Map<string, string | undefined>();
  const newName = (old: string): string | undefined => {
    if (!names.has(old)) names.set(old, targets[names.size]);
    return names.get(old);
  };
  let held = '';
  let isDropping = false;
  const chunks: AsyncIterable<string> = createReadStream(path, { encoding: 'utf8', highWaterMark: 1 << 16 });
  for await (const chunk of chunks) {
    held += chunk;
    if (held.length > MOST_HELD) throw new RangeError(`${path}: the properties of a host do not end`);
    for (;;) {
      if (isDropping) {
        const end = held.indexOf(HOST_END);
        if (end === -1) {
          held = held.slice(-HOST_END.length);
          break;
        }
        held = held.slice(end + HOST_END.length);
        isDropping = false;
      }
      const found = HOST.exec(held);
      if (!found) {
        const cut = safeCut(held);
        yield held.slice(0, cut);
        held = held.slice(cut);
        break;
      }
      const properties = held.indexOf('</HostProperties>', found.index);
      const items = held.indexOf('<ReportItem', found.index);
      const close = held.indexOf(HOST_END, found.index);
      const end = Math.min(...[properties, items, close].filter((at) => at !== -1));
      if (!Number.isFinite(end)) break;
      yield held.slice(0, found.index);
      const name = newName(found[1] ?? '');
      if (name === undefined) isDropping = true;
      else yield renamed(held.slice(found.index, end), name);
      held = held.slice(isDropping ? found.index : end);
    }
  }
  if (!isDropping) yield held;
}

/** Nothing that may be the start of a host is let go. */
function safeCut(text: string): number {
  const open = text.lastIndexOf('<');
  return open === -1 || text.indexOf('>', open) !== -1 ? text.length : open;
}

function renamed(head: string, name: string): string {
  const address = addressOf(name);
  return head
    .replace(HOST, (tag, old: string) => tag.replace(`name="${old}"`, `name="${escaped(name)}"`))
    .replace(NAME_TAG, (tag, kind: string) => {
      if (kind === 'host-ip') return address === undefined ? tag : `<tag name="host-ip">${escaped(address)}</tag>`;
      return address === undefined && kind === 'host-fqdn' ? `<tag name="host-fqdn">${escaped(name)}</tag>` : '';
    });
}
