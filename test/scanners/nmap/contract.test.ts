import { nmapType } from '../../../src/scanners/nmap/nmap.ts';
import { describeScannerContract } from '../../contracts/scanner-contract.ts';
import { processesWith } from '../../processes.ts';

describeScannerContract('nmap', {
  create: () => nmapType.create({}),
  createAbsent: () => nmapType.create({ binary: '/nonexistent/nmap' }),
  request: { intensity: 'light' },
  hostileReports: {
    'an external entity':
      '<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY x SYSTEM "file:///etc/passwd">]><nmaprun args="&x;"/>',
    'entities that explode': '<!DOCTYPE nmaprun [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><nmaprun>&b;</nmaprun>',
    'another root': '<?xml version="1.0"?><NessusClientData_v2/>',
    'no XML': 'Starting Nmap 7.93 ( https://nmap.org )',
    'bottomless nesting': '<nmaprun>'.repeat(10_000),
    'bytes that are not UTF-8': Buffer.from([0x3c, 0x6e, 0x6d, 0xff, 0xfe, 0xfd]),
    'a port out of range':
      '<nmaprun><host><address addr="192.0.2.1" addrtype="ipv4"/><ports><port protocol="tcp" portid="70000"/></ports></host></nmaprun>',
    nothing: '',
  },
  leftovers: () => {
    const own = processesWith('SCANMUX_MARKER=').filter(({ parent }) => parent === process.pid);
    return Promise.resolve(own.map(({ pid }) => `process ${pid}`));
  },
});
