import { describe, expect, it } from 'vitest';
import { createRelation } from '../../src/scans/same-targets.ts';

describe('the targets of another scan', () => {
  it.each<[string[], string[], string]>([
    [['10.0.0.1', 'app.test'], ['app.test', '10.0.0.1'], 'same'],
    [['10.0.0.1'], ['10.0.0.0/24'], 'covers'],
    [['10.0.0.1', '10.0.0.2'], ['10.0.0.0/31', '10.0.0.2-10.0.0.9'], 'covers'],
    [['10.0.0.1', '10.0.1.1'], ['10.0.0.0/24'], 'other'],
    [['10.0.0.0/24'], ['10.0.0.1'], 'other'],
    [['app.test:443'], ['app.test'], 'covers'],
    [['app.test'], ['app.test:443'], 'other'],
    [['https://app.test/a'], ['app.test'], 'covers'],
    [['https://app.test/a'], ['https://app.test/b'], 'other'],
    [['nginx:1.27-alpine'], ['nginx:1.27-alpine'], 'same'],
    [['some report.json'], ['other report.json'], 'other'],
    [['2001:db8::1'], ['2001:db8::/64'], 'covers'],
  ])('%j: %j is %s', (wanted, there, relation) => {
    expect(createRelation(wanted)(there)).toBe(relation);
  });
});
