import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ItemCache } from '../../../src/scanners/nessus/item-cache.ts';
import { hostWords, itemPlace } from '../../../src/scanners/nessus/occurrence.ts';
import { noChildren, type RawItem } from '../../../src/scanners/nessus/raw-item.ts';
import { ruleOf } from '../../../src/scanners/nessus/rule.ts';

// What is kept for every item of a report is looked at for every finding. An object literal that begins with a spread
// gets a hidden class of its own each time: then every look misses, and a report of 1 GB leaves 60 MB of such classes.
setFlagsFromString('--allow-natives-syntax');
const haveOneShape = runInThisContext('(a, b) => %HaveSameMap(a, b)');

/** How many hidden classes the last of many objects have: the first ones teach V8 what kind of values to expect. */
function shapesOf(make: (index: number) => unknown): number {
  const objects = Array.from({ length: 40 }, (_, index) => make(index)).slice(20);
  const shapes: unknown[] = [];
  for (const object of objects) {
    if (!shapes.some((shape) => z.boolean().parse(haveOneShape(shape, object)))) shapes.push(object);
  }
  return shapes.length;
}

const raw: RawItem = { attributes: { pluginID: '1' }, children: noChildren() };

test('places of items have one shape', () => {
  expect(shapesOf((index) => itemPlace({ port: `${index + 1}`, svc_name: 'www', protocol: 'tcp' }))).toBe(1);
});

test('words of audit items have one shape', () => {
  expect(shapesOf((index) => hostWords(() => `value ${index}`, true, 'failed'))).toBe(1);
});

test('remembered items have one shape', () => {
  const known = { rule: ruleOf(raw), pluginId: '1', compliance: undefined, isAudit: false };
  const remembered = (index: number): unknown => {
    const cache = new ItemCache(1 << 20);
    const bytes = Buffer.from(` severity="0" pluginID="${index}"></ReportItem>`);
    // One that was met once is not worth it.
    for (let time = 0; time < 2; time += 1)
      cache.add(bytes, 0, bytes.length, { raw, placeEnd: 0, slots: [] }, { ...known, pluginId: `${index}` });
    return cache.find(bytes, 0)?.known;
  };
  expect(remembered(0)).toMatchObject({ pluginId: '0' });
  expect(shapesOf(remembered)).toBe(1);
});
