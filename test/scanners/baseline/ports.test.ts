import { describe, expect, it } from 'vitest';
import { DEFAULT_PORTS, parsePorts } from '../../../src/scanners/baseline/ports.ts';

describe('the ports of a baseline scan', () => {
  it('are read sorted and without repeats', () => {
    expect(parsePorts('443, 80,8000-8002,80')).toEqual([80, 443, 8000, 8001, 8002]);
    expect(parsePorts('1-1024')).toHaveLength(1_024);
  });

  it.each([
    '',
    '0',
    '65536',
    '80,',
    '-80',
    '80-',
    '90-80',
    '1-1025',
    '1-65535',
    '1-1000,2000-2100',
    'http',
    '1e3',
    '8 0',
  ])('are refused when written as "%s"', (text) => {
    expect(() => parsePorts(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  it('grow with intensity and repeat nothing', () => {
    const { light, standard, intrusive } = DEFAULT_PORTS;
    expect(standard).toEqual(expect.arrayContaining([...light]));
    expect(intrusive).toEqual(expect.arrayContaining([...standard]));
    expect(new Set(intrusive).size).toBe(intrusive.length);
  });
});
