import { describe, expect, it } from 'vitest';
import { nmapFormat } from '../../../src/scanners/nmap/format.ts';
import { parseNmap } from '../../../src/scanners/nmap/parse.ts';
import { findingsIn, placesIn, scopesIn, eventsOf } from '../reading.ts';
import { fixture } from './reading.ts';

const info = (protocol: string, services: string): string =>
  `<scaninfo type="connect" protocol="${protocol}" numservices="1" services="${services}"/>`;

const host = (address: string, port = 443): string =>
  `<host><status state="up"/><address addr="${address}" addrtype="ipv4"/><ports><extraports state="closed" count="70000"/><port protocol="tcp" portid="${port}">` +
  `<state state="open"/><script id="http-title" output="x"/></port></ports></host>`;

const document = (content: string, args = 'nmap -sT 192.0.2.1'): string =>
  `<?xml version="1.0"?>\n<nmaprun scanner="nmap" args="${args}" version="7.93" start="1795219431">${content}` +
  `<runstats><finished time="1795219491" exit="success"/></runstats></nmaprun>\n`;

const scopes = async (report: string) => scopesIn(await eventsOf(nmapFormat, report));

describe('what a report of nmap proves was looked for', () => {
  it('is the ports of each protocol, for every host', async () => {
    const text = document(`${info('tcp', '1-1000,8080')}${info('udp', '53')}${host('192.0.2.1')}${host('192.0.2.2')}`);
    expect(await scopes(text)).toEqual([
      { tcpPorts: '1-1000,8080', udpPorts: '53', portsAnswered: true, families: ['ports'] },
    ]);
  });

  it('names all ports as such', async () => {
    expect(await scopes(document(info('tcp', '1-65535') + host('192.0.2.1')))).toMatchObject([{ tcpPorts: 'all' }]);
  });

  it.each([
    ['--script http-title,ssl-cert', ['nse:http-title', 'nse:ssl-cert']],
    ['--script=http-title -p 80', ['nse:http-title']],
    ['-sC', undefined],
    ['--script vuln,http-title', ['nse:http-title']],
    ['--script http-* --script-args a=b', undefined],
    ['--script http-title and not ssl-cert', undefined],
    ['--script not http-title', undefined],
    ['--script /home/x/http-title.nse', undefined],
  ])('holds the scripts that were asked for by name: %s', async (words, rules) => {
    const [scope] = await scopes(document(info('tcp', '80') + host('192.0.2.1'), `nmap -sT ${words} 192.0.2.1`));
    expect(scope?.rules).toEqual(rules);
  });

  it('holds per host when documents looked for different ports', async () => {
    const text =
      document(info('tcp', '1-100') + host('192.0.2.1') + host('192.0.2.2')) +
      document(info('tcp', '8080') + host('192.0.2.1'));
    expect(await scopes(text)).toEqual([
      { place: '192.0.2.1', tcpPorts: '1-100', portsAnswered: true, families: ['ports'] },
      { place: '192.0.2.2', tcpPorts: '1-100', portsAnswered: true, families: ['ports'] },
      { place: '192.0.2.1', tcpPorts: '8080', portsAnswered: true, families: ['ports'] },
    ]);
  });

  describe('leaves out ports that gave no answer', () => {
    const answers = (ports: string, address = '192.0.2.1'): string =>
      `<host><status state="up"/><address addr="${address}" addrtype="ipv4"/><ports>${ports}</ports></host>`;
    const port = (number: number, state: string): string =>
      `<port protocol="tcp" portid="${number}"><state state="${state}" reason="x"/></port>`;
    const one = async (ports: string, args?: string) => {
      const [scope] = await scopes(document(info('tcp', '1-100') + answers(ports), args));
      return scope?.tcpPorts;
    };

    const closed = '<extraports state="closed" count="98"/>';

    it.each(['filtered', 'open|filtered', 'closed|filtered', 'unfiltered', ''])('in state "%s"', async (state) => {
      expect(await one(closed + port(22, 'open') + port(80, state))).toBe('1-79,81-100');
    });

    it('and keeps closed ones', async () => {
      expect(await one(closed + port(22, 'open') + port(80, 'closed'))).toBe('1-100');
      expect(await one(`<extraports state="closed" count="99"/>${port(22, 'open')}`)).toBe('1-100');
    });

    it('when many of them are only counted', async () => {
      const filtered =
        '<extraports state="filtered" count="98"><extrareasons reason="no-response" count="98"/></extraports>';
      expect(await one(filtered + port(22, 'open') + port(80, 'closed'))).toBe('22,80');
      expect(await one(`${filtered}<extraports state="closed" count="1"/>${port(22, 'open')}`)).toBe('22');
    });

    it('when the report says nothing of them', async () => {
      expect(await one(port(22, 'open'))).toBe('22');
      expect(await one(port(22, 'open') + port(80, 'closed'))).toBe('22,80');
      expect(await one(`<extraports state="closed" count="98"/>${port(22, 'open')}`)).toBe('22');
      expect(await one(`<extraports state="closed" count="97"/>${port(22, 'open')}${port(23, 'filtered')}`)).toBe('22');
    });

    it.each(['filtered', 'open|filtered', 'unfiltered'])(
      'when many are in state "%s" of two protocols',
      async (state) => {
        const asked = info('tcp', '1-100') + info('udp', '1-100');
        const ports = `<extraports state="closed" count="99"/><extraports state="${state}" count="100"/>${port(22, 'open')}`;
        expect(await scopes(document(asked + answers(ports)))).toEqual([
          { tcpPorts: '22', portsAnswered: true, families: ['ports'] },
        ]);
        // One protocol said all, the other nothing: the closed ones may be of either.
        const half = answers(`<extraports state="closed" count="99"/>${port(22, 'open')}`);
        expect(await scopes(document(asked + half))).toEqual([
          { tcpPorts: '22', portsAnswered: true, families: ['ports'] },
        ]);
        const whole = answers(`<extraports state="closed" count="199"/>${port(22, 'open')}`);
        expect(await scopes(document(asked + whole))).toEqual([
          { tcpPorts: '1-100', udpPorts: '1-100', portsAnswered: true, families: ['ports'] },
        ]);
      },
    );

    it('when many of them are named by ranges', async () => {
      const named =
        '<extraports state="filtered" count="50"><extrareasons reason="no-response" count="50" proto="tcp" ports="51-100"/>' +
        '</extraports><extraports state="closed" count="49"/>';
      expect(await one(named + port(22, 'open'))).toBe('1-50');
    });

    it('when only open ones are written', async () => {
      const text = answers(port(22, 'open')) + answers(port(80, 'open'), '192.0.2.2');
      const found = await scopes(document(info('tcp', '1-100') + text, 'nmap -sT --open 192.0.2.0/30'));
      expect(found.map(({ tcpPorts }) => tcpPorts)).toEqual(['22', '80']);
    });

    it('host by host, within bounds', async () => {
      const text = document(
        info('tcp', '1-100') +
          answers(closed + port(22, 'open') + port(80, 'filtered')) +
          answers(closed + port(22, 'open') + port(80, 'closed'), '192.0.2.2') +
          answers(port(22, 'filtered'), '192.0.2.3'),
      );
      expect(await scopes(text)).toEqual([
        { place: '192.0.2.1', tcpPorts: '1-79,81-100', portsAnswered: true, families: ['ports'] },
        { place: '192.0.2.2', tcpPorts: '1-100', portsAnswered: true, families: ['ports'] },
      ]);
    });
  });

  it('is nothing when the report does not say which ports', async () => {
    expect(await scopes(document(host('192.0.2.1')))).toEqual([]);
    expect(await scopes(document(info('tcp', 'x') + host('192.0.2.1')))).toEqual([]);
  });

  it('is not claimed for a host that the report was cut in', async () => {
    const text = document(info('tcp', '80') + host('192.0.2.1') + host('192.0.2.2'));
    const cut = text.slice(0, text.indexOf('192.0.2.2') + 60);
    const other = document(info('tcp', '81') + host('192.0.2.3'));
    // As in a scan of our own that was stopped: a file that is cut is refused at its end.
    const events = await eventsOf({ ...nmapFormat, parse: (report) => parseNmap(report) }, other + cut);
    expect(scopesIn(events).map(({ place }) => place)).toEqual(['192.0.2.3', '192.0.2.1']);
  });

  it('is in real reports', async () => {
    const [scope] = scopesIn(await eventsOf(nmapFormat, fixture('ssl.xml')));
    expect(scope?.families).toEqual(['ports']);
    expect(scope?.tcpPorts).toBe('8443-8444');
    expect(scope?.rules).toContain('nse:ssl-cert');
  });
});

describe('a report of several documents', () => {
  it('says what overlapping targets have in common once', async () => {
    const text = document(info('tcp', '1-500') + host('192.0.2.1')) + document(info('tcp', '443') + host('192.0.2.1'));
    const events = await eventsOf(nmapFormat, text);
    expect(findingsIn(events).map(({ rule_id }) => rule_id)).toEqual(['nse:http-title', 'nmap:port-open']);
    expect(new Set(placesIn(events).map(({ place }) => place))).toEqual(new Set(['192.0.2.1']));
  });

  it('keeps what one document says twice', async () => {
    const events = await eventsOf(nmapFormat, document(info('tcp', '443') + host('192.0.2.1') + host('192.0.2.1')));
    expect(findingsIn(events)).toHaveLength(4);
  });

  it('says when the whole of it began and ended', async () => {
    const events = await eventsOf(nmapFormat, document(host('192.0.2.1')) + document(host('192.0.2.2')));
    expect(events.filter(({ kind }) => kind === 'source')).toEqual([
      {
        kind: 'source',
        source: { tool: 'nmap', version: '7.93', startedAt: 1_795_219_431_000, finishedAt: 1_795_219_491_000 },
      },
    ]);
  });
});

describe('the head of a file', () => {
  it.each([
    ['<?xml version="1.0"?>\n<!DOCTYPE nmaprun>\n<!-- Nmap 7.93 scan -->\n<nmaprun sca', true],
    ['<nmaprun>', true],
    ['# Nmap 7.93 scan initiated', false],
    ['<report><nmaprun/></report>', false],
  ])('is told by its root: %s', (text, isOurs) => {
    expect(nmapFormat.detect(Buffer.from(text))).toBe(isOurs);
  });
});
