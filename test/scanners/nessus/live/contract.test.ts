import { afterAll, beforeAll } from 'vitest';
import { describeScannerContract } from '../../../contracts/scanner-contract.ts';
import { openLab, type Lab } from './harness.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
});
afterAll(async () => lab.close());

const OVER = new Set(['completed', 'canceled', 'aborted', 'stopped']);

describeScannerContract('Nessus', {
  create: () => lab.scanner,
  createAbsent: () => lab.another({ url: 'http://127.0.0.1:1' }),
  runsElsewhere: true,
  hostileReports: {
    'another root': '<?xml version="1.0"?><nmaprun></nmaprun>',
    'a tag that is closed by another': '<NessusClientData_v2><Report name="x"></Policy></NessusClientData_v2>',
    'an entity of its own':
      '<!DOCTYPE r [<!ENTITY a "b">]><NessusClientData_v2><Report name="&a;"></Report></NessusClientData_v2>',
  },
  leftovers: () =>
    Promise.resolve(
      lab.sim.control
        .scans()
        .filter(({ status }) => !OVER.has(status))
        .map(({ name, status }) => `${name}: ${status}`),
    ),
});
