import { describe, expect, it } from 'vitest';
import { createSpokenHosts } from '../../src/findings/spoken-hosts.ts';

const spokenIn = (...locations: Parameters<ReturnType<typeof createSpokenHosts>['note']>[0][]) => {
  const hosts = createSpokenHosts();
  for (const location of locations) hosts.note(location);
  return hosts.all();
};

describe('the hosts that findings speak of', () => {
  it.each(['face::add', 'dead::beef', '1.2.3.4', '1.2.3.4:5000/app', 'src//a.c'])(
    'are never files or images: %s',
    (name) => {
      expect(spokenIn({ file: name }, { image: name })).toEqual([]);
    },
  );

  it.each(['8.8.8.8:443', '//code.example/a.c', 'tcp://8.8.8.8:80'])(
    'are URLs and addresses with a port, also where a file or image should stand: %s',
    (name) => {
      expect(spokenIn({ file: name })).toHaveLength(1);
      expect(spokenIn({ image: name })).toHaveLength(1);
    },
  );

  it('are addresses that are broken, too', () => {
    expect(spokenIn({ ip: '1:2:zz' }, { ip: '127.0.0.1' })).toEqual([]);
    expect(spokenIn({ ip: '1::2::3' })).toMatchObject([{ name: expect.any(String) }]);
  });

  it('are those of their URLs and names', () => {
    expect(spokenIn({ host: 'app.test', ip: '127.0.0.1', url: 'http://10.0.0.9/' }, { host: '10.0.0.8' })).toEqual([
      { address: '10.0.0.9' },
      { address: '10.0.0.8' },
    ]);
  });
});
