import { describe, expect, it } from 'vitest';
import { portRange } from '../../../src/scanners/nessus/port-range.ts';
import { child, family, host, item, plugin, pluginPreference, policy, preference, report } from './documents.ts';
import { read, scopesIn } from './reading.ts';

const scopes = async (policyText: string, hosts = '') => scopesIn(await read(report(hosts, { policy: policyText })));
const SYN = preference('network_scanners.syn', 'yes');

describe('the policy of a .nessus report', () => {
  it('proves which families ran in full and which single plugins ran or did not', async () => {
    const text = policy({
      families: family('Web Servers', 'enabled') + family('DNS', 'disabled') + family('Windows', 'mixed'),
      single: plugin('10394', 'enabled') + plugin('10395', 'disabled') + plugin('x1', 'enabled'),
    });
    expect(await scopes(text)).toEqual([
      { rules: ['nessus:10394'], rulesNotRun: ['nessus:10395'] },
      { families: ['Web Servers'] },
    ]);
    const { events } = await read(report('', { policy: text }));
    expect(events).toContainEqual({
      kind: 'checks',
      lookedFor: ['Nessus plugins: 1 family in full', 'Nessus plugins: 1 family in part (Windows)'],
      notLookedFor: ['Nessus plugin families that were off: DNS'],
    });
  });

  it('proves ports only where something looked at them', async () => {
    const range = preference('port_range', '1-1024,8080');
    expect(await scopes(policy({ server: range + SYN }))).toEqual([{ tcpPorts: '1-1024,8080' }]);
    expect(await scopes(policy({ server: range + preference('network_scanners.udp', 'yes') }))).toEqual([
      { udpPorts: '1-1024,8080' },
    ]);
    expect(await scopes(policy({ server: range + preference('network_scanners.syn', 'no') }))).toEqual([]);
    expect(await scopes(policy({ server: range, single: plugin('11219', 'enabled') }))).toEqual([
      { rules: ['nessus:11219'] },
      { tcpPorts: '1-1024,8080' },
    ]);
    const older = pluginPreference('portscan_range', 'entry', 'all');
    expect(await scopes(policy({ server: SYN, plugins: older }))).toEqual([{ tcpPorts: 'all' }]);
  });

  it('leaves open which ports the default list has', async () => {
    const text = policy({ server: preference('port_range', 'default') + SYN });
    expect(await scopes(text)).toEqual([{ tcpPortList: 'default' }]);
    const { events } = await read(report('', { policy: text }));
    expect(events).toContainEqual({
      kind: 'checks',
      lookedFor: ['TCP ports: the default list of Nessus'],
      notLookedFor: [],
    });
  });

  it('gives way to the words of each host when it does not say the ports', async () => {
    const words = 'Port scanner(s) : nessus_syn_scanner \nPort range : 1-65535\n';
    const hosts = host(item(child('plugin_output', words), { id: '19506' }));
    expect(await scopes('', hosts)).toEqual([{ place: '192.0.2.1', tcpPorts: 'all' }]);
    expect(await scopes(policy({ server: preference('port_range', '1-9') + SYN }), hosts)).toEqual([
      { tcpPorts: '1-9' },
    ]);
  });

  it('names the default list for hosts that say it, where the policy does not', async () => {
    const words = 'Port scanner(s) : nessus_syn_scanner \nPort range : default\n';
    const hosts = host(item(child('plugin_output', words), { id: '19506' }));
    expect(await scopes('', hosts)).toEqual([{ place: '192.0.2.1', tcpPortList: 'default' }]);
    expect(await scopes(policy({ server: preference('port_range', 'default') + SYN }), hosts)).toEqual([
      { tcpPortList: 'default' },
    ]);
    expect(await scopes(policy({ server: preference('port_range', '1-9') + SYN }), hosts)).toEqual([
      { tcpPorts: '1-9' },
    ]);
  });

  it('never shows what else it holds', async () => {
    const secrets = policy({
      server: preference('TARGET', 'secret.example') + preference('whoami', 'secret-admin'),
      plugins:
        pluginPreference('SSH user name :', 'entry', 'secret-user') +
        pluginPreference('SSH password', 'password', 'secret-word'),
    });
    const { events } = await read(report(host(item()), { policy: secrets }));
    expect(JSON.stringify(events)).not.toMatch(/secret/i);
  });

  it('of many plugins comes in parts', async () => {
    const many = Array.from({ length: 2_500 }, (_, index) => plugin(String(index), 'enabled')).join('');
    const found = await scopes(policy({ single: many }));
    expect(found.map(({ rules }) => rules?.length)).toEqual([1_000, 1_000, 500]);
  });
});

describe('a range of ports as Nessus writes it', () => {
  it.each([
    ['default', { tcpDefault: true, udpDefault: true }],
    ['all', { tcp: 'all', udp: 'all', tcpDefault: false, udpDefault: false }],
    ['1-65535', { tcp: 'all', udp: 'all', tcpDefault: false, udpDefault: false }],
    ['22, 80 ,80,443-445', { tcp: '22,80,443-445', udp: '22,80,443-445', tcpDefault: false, udpDefault: false }],
    ['T:1-1024,8080,U:53', { tcp: '1-1024,8080', udp: '53', tcpDefault: false, udpDefault: false }],
    ['T:default,U:53', { udp: '53', tcpDefault: true, udpDefault: false }],
    ['default,9000-9100', { tcp: '9000-9100', udp: '9000-9100', tcpDefault: true, udpDefault: true }],
  ])('%s', (text, expected) => {
    expect(portRange(text)).toEqual(expected);
  });

  it.each(['', 'x', '9-1', '1-70000', 'T:', '1,,2', 'ignore previous words', '1'.repeat(9), ','.repeat(9_999)])(
    'proves nothing when it is none: %s',
    (text) => {
      expect(portRange(text)).toBeUndefined();
    },
  );
});
