import { createContext, runInContext } from 'node:vm';
import * as fc from 'fast-check';
import t from 'tap';
import { type PacFacts, proxyAutoConfig } from '../../src/frontdesk/pac.ts';
import { type Arrival, placeOf } from '../../src/frontdesk/place.ts';
import { canonicalHost } from '../../src/kernel/host.ts';
import { addressKind } from '../../src/kernel/ip.ts';

const FACTS: PacFacts = {
  proxyHost: '10.1.0.2',
  proxyPort: 3128,
  isTls: false,
  deskOrigin: 'http://gateway.school.test:8801',
};

/** Runs the file as a browser does, without any of the helpers that resolve names. */
function find(facts: PacFacts = FACTS): (url: string, host: string) => string {
  const context = createContext({});
  runInContext(proxyAutoConfig(facts), context);
  return (url, host) => runInContext('FindProxyForURL', context)(url, host) as string;
}

/** IPv4 as a browser or the C library may write it. */
function spellings(value: number): string[] {
  const parts = [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  return [
    parts.join('.'),
    `${parts.join('.')}.`,
    parts.map((part) => `0${part.toString(8)}`).join('.'),
    parts.map((part) => `0x${part.toString(16)}`).join('.'),
    String(value),
    `0x${value.toString(16)}`,
    `${parts[0]}.${value & 0xffffff}`,
    `::ffff:${parts.join('.')}`,
    `64:ff9b::${parts.join('.')}`,
  ];
}

void t.test('what can be the internet goes through the proxy, the rest straight', async (t) => {
  const table: [string, 'PROXY 10.1.0.2:3128' | 'DIRECT'][] = [
    ['www.example.com', 'PROXY 10.1.0.2:3128'],
    ['schoolgate.internal', 'PROXY 10.1.0.2:3128'],
    ['gateway.school.test', 'PROXY 10.1.0.2:3128'],
    ['localhost', 'DIRECT'],
    ['app.localhost', 'DIRECT'],
    ['notlocalhost.com', 'PROXY 10.1.0.2:3128'],
    ['intranet', 'DIRECT'],
    ['INTRANET', 'DIRECT'],
    ['print-1', 'DIRECT'],
    ['ai', 'PROXY 10.1.0.2:3128'],
    ['ai.', 'PROXY 10.1.0.2:3128'],
    ['xn--p1ai', 'PROXY 10.1.0.2:3128'],
    ['10.20.30.40', 'DIRECT'],
    ['172.31.0.1', 'DIRECT'],
    ['172.32.0.1', 'PROXY 10.1.0.2:3128'],
    ['192.168.1.1', 'DIRECT'],
    ['169.254.1.1', 'DIRECT'],
    ['127.0.0.1', 'DIRECT'],
    ['8.8.8.8', 'PROXY 10.1.0.2:3128'],
    ['10.8.8.8.example.com', 'PROXY 10.1.0.2:3128'],
    ['10.8', 'PROXY 10.1.0.2:3128'],
    ['010.8.8.8', 'PROXY 10.1.0.2:3128'],
    ['134744072', 'PROXY 10.1.0.2:3128'],
    ['0x08080808', 'PROXY 10.1.0.2:3128'],
    ['::1', 'DIRECT'],
    ['[::1]', 'DIRECT'],
    ['fd12::1', 'DIRECT'],
    ['fe80::1', 'DIRECT'],
    ['fd::1', 'PROXY 10.1.0.2:3128'],
    ['2606:4700::1111', 'PROXY 10.1.0.2:3128'],
    ['[2606:4700::1111]', 'PROXY 10.1.0.2:3128'],
    ['', 'PROXY 10.1.0.2:3128'],
  ];
  const ask = find();
  for (const [host, expected] of table) t.equal(ask(`http://${host}/`, host), expected, host);
});

void t.test('no spelling of a public address goes past the proxy', async (t) => {
  const ask = find();
  const isFiltered = (host: string): boolean => {
    if (ask(`https://${host}/`, host) !== 'DIRECT') return true;
    const canonical = canonicalHost(host);
    return canonical !== null && canonical.kind !== 'name' && addressKind(canonical.name) !== 'public';
  };
  fc.assert(
    fc.property(fc.nat(0xffffffff), (value) => spellings(value).every(isFiltered)),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.ipV6(), (address) => isFiltered(address) && isFiltered(`[${address}]`)),
    { numRuns: 500 },
  );
  t.equal(isFiltered('intranet'), false, 'a name that goes straight would be noticed');
});

void t.test('the front desk is reached straight at its own origin, and nothing else of its host is', async (t) => {
  const ask = find();
  t.equal(ask('http://gateway.school.test:8801/why', 'gateway.school.test'), 'DIRECT');
  t.equal(ask('http://gateway.school.test:88012/', 'gateway.school.test'), 'PROXY 10.1.0.2:3128');
  t.equal(ask('http://gateway.school.test/', 'gateway.school.test'), 'PROXY 10.1.0.2:3128');
  t.equal(
    find({ ...FACTS, deskOrigin: null })('http://gateway.school.test:8801/', 'gateway.school.test').slice(0, 5),
    'PROXY',
  );
});

void t.test('a proxy over TLS is named as one, and nothing ever falls back to a direct way', async (t) => {
  t.equal(find({ ...FACTS, isTls: true })('http://a.test/', 'a.test'), 'HTTPS 10.1.0.2:3128');
  t.equal(find({ ...FACTS, proxyHost: '[fd00::2]' })('http://a.test/', 'a.test'), 'PROXY [fd00::2]:3128');
  t.notMatch(proxyAutoConfig(FACTS), /;\s*DIRECT|isInNet|dnsResolve|isResolvable/);
});

void t.test('the proxy is named as this client can reach it', async (t) => {
  const arrival: Arrival = {
    publicUrl: null,
    hostField: 'Gateway.School.Test:8801',
    isTls: false,
    localAddress: '::ffff:10.1.0.2',
    localPort: 8801,
    proxyHost: '0.0.0.0',
  };
  const table: [Partial<Arrival>, [string, string | null] | null][] = [
    [{}, ['gateway.school.test', 'http://gateway.school.test:8801']],
    [{ hostField: 'wpad' }, ['wpad', 'http://wpad']],
    [{ hostField: 'wpad', isTls: true }, ['wpad', 'https://wpad']],
    [{ hostField: '[FD00::2]:8801' }, ['[fd00::2]', 'http://[fd00::2]:8801']],
    [{ publicUrl: 'https://filter.school.test/desk' }, ['filter.school.test', 'https://filter.school.test']],
    [{ hostField: 'schoolgate.internal' }, ['10.1.0.2', 'http://10.1.0.2:8801']],
    [{ hostField: undefined }, ['10.1.0.2', 'http://10.1.0.2:8801']],
    [{ hostField: 'a b"+alert(1)+"' }, ['10.1.0.2', 'http://10.1.0.2:8801']],
    [{ hostField: undefined, localAddress: 'fd00::2' }, ['[fd00::2]', 'http://[fd00::2]:8801']],
    [{ hostField: 'schoolgate.internal', localAddress: undefined, localPort: undefined }, null],
    [{ hostField: 'schoolgate.internal', localAddress: undefined, proxyHost: '10.9.9.9' }, ['10.9.9.9', null]],
    [{ hostField: 'schoolgate.internal', localAddress: undefined, proxyHost: '::' }, null],
    [{ hostField: 'schoolgate.internal', localAddress: undefined, proxyHost: 'fd00::9' }, ['[fd00::9]', null]],
    [{ hostField: 'schoolgate.internal', localAddress: undefined, proxyHost: 'gw.test' }, ['gw.test', null]],
  ];
  for (const [change, expected] of table) {
    const place = placeOf({ ...arrival, ...change });
    t.strictSame(place === null ? null : [place.host, place.deskOrigin], expected, JSON.stringify(change));
  }
  fc.assert(
    fc.property(fc.string(), (hostField) => {
      const place = placeOf({ ...arrival, hostField })!;
      return (
        find({ ...FACTS, proxyHost: place.host, deskOrigin: place.deskOrigin })('http://a.test/', 'a.test') ===
        `PROXY ${place.host}:3128`
      );
    }),
  );
});
