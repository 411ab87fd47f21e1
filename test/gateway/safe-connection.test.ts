import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { parseEnvelope } from '../../src/events/envelope.ts';
import type { AccessRecord } from '../../src/events/access-record.ts';
import { parseLine } from '../../src/history/segment.ts';
import { clientHello } from '../helpers/client-hello.ts';
import { SAFE_SEARCH, YOUTUBE } from '../../src/policy/safe-addresses.ts';
import { UpstreamError } from '../../src/gateway/upstream-error.ts';
import { hostSpellings } from '../helpers/host-spellings.ts';
import { eventually } from '../helpers/listening.ts';
import { type Origin, startOrigin } from '../helpers/origin.ts';
import { startParent } from '../helpers/parent-proxy.ts';
import { connectThrough, dial, exchange, type RawConnection } from '../helpers/raw-client.ts';
import { proof, startTestGateway, type TestGateway, type TestGatewayOptions } from '../helpers/test-gateway.ts';

const GOOGLE = 'www.google.com';
const SAFE = 'forcesafesearch.google.com';

/** Two web servers that answer for the same names on the same ports: the site as it is, and its safe address. */
interface Site extends AsyncDisposable {
  readonly open: Origin;
  readonly safe: Origin;
  readonly http: number;
  readonly https: number;
  readonly names: Record<string, string[]>;
}

async function startSite(safeHost = '127.0.0.3'): Promise<Site> {
  const open = await startOrigin({ host: '127.0.0.2', names: [GOOGLE] });
  const ports = { http: open.http.port, https: open.https.port };
  const safe = await startOrigin({ host: safeHost, ports, authority: open.authority, names: [GOOGLE] });
  return {
    open,
    safe,
    ...ports,
    names: { [GOOGLE]: ['127.0.0.2'], [SAFE]: [safeHost] },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([open.close(), safe.close()]);
    },
  };
}

/** Pupils of the youngest level, and staff, who come from 127.0.0.9 and are not bound. */
const STAFF = 'title: Staff\nvoice: adult\nuncategorised: allow\nsafeSearch: off\nyoutube: off\n';
const IDENTITY = `identity:
  mode: open
  strictestLevel: ks1
  ranges: [{ cidr: 127.0.0.9/32, level: staff, name: Staff room }]`;
const PUPIL = { localAddress: '127.0.0.1' };
const TEACHER = { localAddress: '127.0.0.9' };

function startGateway(site: Site, more: TestGatewayOptions = {}): Promise<TestGateway> {
  const options = { names: site.names, levels: { staff: STAFF }, identity: IDENTITY, portMap: { 80: site.http } };
  return startTestGateway({ tls: [site.https], http: [site.http] }, { ...options, ...more });
}

const UPGRADE = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

type From = typeof PUPIL;
type Way = (gateway: TestGateway, site: Site, from: From) => Promise<number>;

const send = async (connection: RawConnection, ...lines: string[]): Promise<number> => {
  await connection.send([...lines, '', ''].join('\r\n'));
  return (await connection.readResponse()).status;
};

/** Every way to ask a gateway for a search engine; gives the status of the answer. */
const WAYS: Record<string, Way> = {
  'plain http': async (gateway, { http }, from) => {
    await using client = await dial(gateway.port, from);
    return await send(client, `GET http://${GOOGLE}:${http}/?q=x HTTP/1.1`, `Host: ${GOOGLE}:${http}`);
  },
  'an upgrade': async (gateway, { http }, from) => {
    await using client = await dial(gateway.port, from);
    return await send(client, `GET http://${GOOGLE}:${http}/s HTTP/1.1`, `Host: ${GOOGLE}:${http}`, ...UPGRADE);
  },
  'a tunnel': async (gateway, { https, open }, from) => {
    const { connection, response } = await connectThrough(gateway.port, `WWW.GOOGLE.com.:${https}`, [], from);
    await using client = connection;
    if (response.status !== 200) return response.status;
    const nextHop = from === PUPIL ? `schoolgate; next-hop="${SAFE}"` : undefined;
    if (response.header('proxy-status') !== nextHop) throw new Error('the tunnel does not say where it leads');
    // The certificate is checked against the name the client wants: the safe address has to answer for it.
    await using secure = await client.startTls({ servername: GOOGLE, ca: open.authority.cert });
    return await send(secure, 'GET /?q=x HTTP/1.1', `Host: ${GOOGLE}`);
  },
  'http inside a CONNECT': async (gateway, _site, from) => {
    const { connection, response } = await connectThrough(gateway.port, `${GOOGLE}:80`, [], from);
    await using client = connection;
    if (response.status !== 200) return response.status;
    return await send(client, 'GET /?q=x HTTP/1.1', `Host: ${GOOGLE}`);
  },
  'an upgrade inside a CONNECT': async (gateway, _site, from) => {
    const { connection, response } = await connectThrough(gateway.port, `${GOOGLE}:80`, [], from);
    await using client = connection;
    if (response.status !== 200) return response.status;
    return await send(client, 'GET /s HTTP/1.1', `Host: ${GOOGLE}`, ...UPGRADE);
  },
};

const touched = ({ open, safe }: Site): { open: number; safe: number } => ({
  open: open.http.accepted() + open.https.accepted(),
  safe: safe.http.accepted() + safe.https.accepted(),
});

async function recordsOf(gateway: TestGateway, { localAddress }: From): Promise<AccessRecord[]> {
  await gateway.record(({ client }) => client === localAddress);
  return gateway.spool.records.filter(({ client }) => client === localAddress);
}

void t.test('a bound level reaches the safe address alone, in every way, under the site’s own name', async (t) => {
  for (const [what, ask] of Object.entries(WAYS)) {
    await using site = await startSite();
    await using gateway = await startGateway(site);
    const expected = what.includes('upgrade') ? 101 : 200;
    t.equal(await ask(gateway, site, PUPIL), expected, what);
    t.match(touched(site), { open: 0 }, what);
    t.ok(touched(site).safe > 0, what);
    for (const { rawHeaders, serverName, scheme } of site.safe.seen) {
      t.match(rawHeaders.join('\n'), /^host\nwww\.google\.com(:\d+)?$/im, `${what}: the Host is the client’s`);
      if (scheme === 'https') t.equal(serverName, GOOGLE, what);
    }
    for (const record of await recordsOf(gateway, PUPIL)) {
      t.match(record, { host: GOOGLE, verdict: 'allow', retarget: SAFE }, what);
      t.match(parseLine(JSON.stringify(record)), { kind: 'record', record: { retarget: SAFE } }, what);
    }
    const before = touched(site).safe;
    t.equal(await ask(gateway, site, TEACHER), expected, `${what}, not bound`);
    t.equal(touched(site).safe, before, `${what}, not bound: another socket`);
    t.ok(touched(site).open > 0, `${what}, not bound`);
    for (const record of await recordsOf(gateway, TEACHER)) t.notOk('retarget' in record, what);
  }
});

void t.test('people of two levels on one kept-alive connection never share an upstream socket', async (t) => {
  // One address for both names: only the safe address itself then keeps the sockets apart.
  for (const shared of [false, true]) {
    await using site = await startSite();
    const names = shared ? { [GOOGLE]: ['127.0.0.3'], [SAFE]: ['127.0.0.3'] } : site.names;
    await using gateway = await startGateway(site, {
      names,
      rules: 'people: [{ name: ann, level: ks1 }, { name: bob, level: staff }]\n',
      verify: async ({ name }) => proof(name),
    });
    const paths: Record<string, string[]> = { ann: [], bob: [] };
    const one = async (client: RawConnection, name: string, path: string): Promise<void> => {
      paths[name]!.push(path);
      const head = [`GET http://${GOOGLE}:${site.http}${path} HTTP/1.1`, `Host: ${GOOGLE}:${site.http}`];
      const auth = `Proxy-Authorization: Basic ${Buffer.from(`${name}:x`).toString('base64')}`;
      t.equal(await send(client, ...head, auth), 200);
    };
    const lanes = Array.from({ length: shared ? 1 : 4 }, async (_, lane) => {
      await using client = await dial(gateway.port);
      for (let i = 0; i < 10; i++) await one(client, (i + lane) % 2 === 0 ? 'ann' : 'bob', `/status?n=${lane}-${i}`);
    });
    await Promise.all(lanes);
    const urls = (origin: Origin): string[] => origin.seen.map(({ url }) => url).sort();
    if (shared) {
      t.same(urls(site.safe), [...paths['ann']!, ...paths['bob']!].sort());
      t.equal(site.safe.http.accepted(), 2, 'one after the other, each on their own');
    } else {
      t.same(urls(site.safe), paths['ann']!.sort());
      t.same(urls(site.open), paths['bob']!.sort());
      t.ok(site.safe.http.accepted() <= 4 && site.open.http.accepted() <= 4, 'sockets are kept and used again');
    }
    const retargets = new Set(gateway.spool.records.map(({ user, retarget }) => `${user} ${retarget ?? 'itself'}`));
    t.same([...retargets].sort(), [`ann ${SAFE}`, 'bob itself']);
  }
});

void t.test(
  'no answer for the safe name, or one that may not be reached: refused, and the site is not tried',
  async (t) => {
    await using site = await startSite();
    const table: [string, Record<string, string[]>, number, Partial<AccessRecord>][] = [
      ['no such name', { [GOOGLE]: ['127.0.0.2'] }, 502, { error: 'dns_error' }],
      ['inside the school', { [GOOGLE]: ['127.0.0.2'], [SAFE]: ['10.0.0.1'] }, 403, { reason: 'destination' }],
    ];
    for (const [what, names, status, expected] of table) {
      await using gateway = await startGateway(site, { names });
      for (const [way, ask] of Object.entries(WAYS)) {
        gateway.spool.records.length = 0;
        t.equal(await ask(gateway, site, PUPIL), status, `${way}: ${what}`);
        t.match(await gateway.record(), { status, ...expected }, `${way}: ${what}`);
      }
    }
    t.same(touched(site), { open: 0, safe: 0 });
  },
);

void t.test('however a bound host is spelt, no other name than a safe one is ever looked up', async (t) => {
  const safe = new Set([...SAFE_SEARCH.map((service) => service.safe), YOUTUBE.strict]);
  const asked: string[] = [];
  await using gateway = await startTestGateway(
    {},
    {
      resolve: async (name) => {
        asked.push(name);
        throw new UpstreamError('dns_error', 'There is no site of that name.');
      },
      // So that the one service whose safe address is a number is refused before it is dialled.
      network: 'network: { clients: ["127.0.0.0/8"] }',
      portMap: { 80: 9, 443: 9 },
    },
  );
  const hosts = [...SAFE_SEARCH.filter(({ name }) => name !== 'Yandex'), YOUTUBE].flatMap((service) => service.hosts);
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(hostSpellings(hosts, 'ascii'), fc.boolean(), async ({ host, text }, isTunnel) => {
      const head = isTunnel
        ? `CONNECT ${text}:443 HTTP/1.1\r\nHost: ${text}:443\r\n\r\n`
        : `GET http://${text}/ HTTP/1.1\r\nHost: ${text}\r\nConnection: close\r\n\r\n`;
      const { bytes } = await exchange(gateway.port, head);
      const status = Number(bytes.toString('latin1', 9, 12));
      assert.ok(status === 400 || status === 502, `${host} as ${text}: ${status}`);
      if (status === 502) answered++;
    }),
    { numRuns: 300 },
  );
  t.ok(answered > 100, `${answered} of 300 were understood`);
  t.same(
    [...new Set(asked)].filter((name) => !safe.has(name)),
    [],
  );
});

void t.test('through a parent proxy the safe address is asked for, in a tunnel also for plain http', async (t) => {
  await using parent = await startParent();
  await using origin = await startOrigin({ names: [GOOGLE] });
  const { port: http } = origin.http;
  const { port: https } = origin.https;
  const site = { open: origin, safe: origin, http, https } as unknown as Site;
  await using gateway = await startGateway(site, {
    parent: { host: '127.0.0.1', port: parent.port, authorization: 'Basic parent' },
    names: {},
  });
  for (const [way, ask] of Object.entries(WAYS)) {
    parent.seen.length = 0;
    origin.seen.length = 0;
    const port = way === 'a tunnel' ? https : http;
    t.equal(await ask(gateway, site, PUPIL), way.includes('upgrade') ? 101 : 200, way);
    t.match(parent.seen, [{ method: 'CONNECT', url: `${SAFE}:${port}`, authorization: 'Basic parent' }], way);
    t.equal(parent.seen.length, 1, way);
    for (const seen of origin.seen) {
      t.equal(seen.url, '/?q=x', `${way}: origin form`);
      t.match(seen.rawHeaders.join('\n'), /^host\nwww\.google\.com(:\d+)?$/im, way);
      t.notMatch(seen.rawHeaders.join('\n'), /proxy-authorization/i, `${way}: the parent’s credentials stay with it`);
    }
  }
  parent.seen.length = 0;
  t.equal(await WAYS['plain http']!(gateway, site, TEACHER), 200);
  t.match(parent.seen, [{ method: 'GET', url: `http://${GOOGLE}:${http}/?q=x` }], 'not bound: in absolute form');
  parent.refuse = 403;
  await using fresh = await startGateway(site, {
    parent: { host: '127.0.0.1', port: parent.port, authorization: null },
  });
  parent.seen.length = 0;
  const before = origin.http.accepted() + origin.https.accepted();
  for (const [way, ask] of Object.entries(WAYS)) t.equal(await ask(fresh, site, PUPIL), 503, `${way}: refused above`);
  t.ok(
    parent.seen.every(({ url }) => url.startsWith(SAFE)),
    'nothing but the safe address was tried',
  );
  t.equal(origin.http.accepted() + origin.https.accepted(), before);
});

void t.test('a server name that is bound goes up to its safe address alone', async (t) => {
  await using site = await startSite();
  const everywhere = ['127.0.0.2'];
  const names = {
    ...site.names,
    'other.test': everywhere,
    'www.google.co.uk': everywhere,
    'restrict.youtube.com': everywhere,
    'restrictmoderate.youtube.com': everywhere,
  };
  await using gateway = await startGateway(site, { names });
  const CARRIED = { verdict: 'allow' };
  const REFUSED = { verdict: 'block', reason: 'protocol', step: 'target', error: 'server_name', up: 0 };
  const table: [From, string, string, object][] = [
    [PUPIL, 'other.test', GOOGLE, REFUSED],
    [PUPIL, 'other.test', 'WWW.Google.COM.', REFUSED],
    [PUPIL, '127.0.0.2', GOOGLE, REFUSED],
    [PUPIL, GOOGLE, 'www.youtube.com', REFUSED],
    [PUPIL, 'restrictmoderate.youtube.com', 'www.youtube.com', REFUSED],
    [PUPIL, 'restrict.youtube.com', 'www.youtube.com', CARRIED],
    [PUPIL, SAFE, GOOGLE, CARRIED],
    [PUPIL, GOOGLE, 'www.google.co.uk', CARRIED],
    [PUPIL, GOOGLE, 'other.test', { ...CARRIED, retarget: SAFE }],
    [PUPIL, GOOGLE, GOOGLE, { ...CARRIED, retarget: SAFE }],
    [TEACHER, 'other.test', GOOGLE, CARRIED],
    [TEACHER, '127.0.0.2', 'www.youtube.com', CARRIED],
  ];
  for (const [from, asked, serverName, expected] of table) {
    const what = `CONNECT ${asked}, server name ${serverName}`;
    gateway.spool.records.length = 0;
    const { connection, response } = await connectThrough(gateway.port, `${asked}:${site.https}`, [], from);
    await using client = connection;
    t.equal(response.status, 200, what);
    await client.send(clientHello({ serverNames: [serverName] }));
    // An origin answers a hello it can do nothing with by an alert; a refusal by the gateway brings no byte.
    const { bytes } = await client.readToEnd();
    t.equal(bytes.length > 0, expected !== REFUSED, what);
    await client.close();
    t.match(await gateway.record(), expected, what);
  }
});

void t.test('a level that is bound while its tunnels are open loses those that go elsewhere', async (t) => {
  await using site = await startSite();
  const free = { levels: { staff: STAFF } };
  await using gateway = await startGateway(site, free);
  const tunnel = async (from: From): Promise<RawConnection> => {
    const { connection } = await connectThrough(gateway.port, `${GOOGLE}:${site.https}`, [], from);
    return await connection.startTls({ servername: GOOGLE, ca: site.open.authority.cert });
  };
  await using unbound = await tunnel(TEACHER);
  await using bound = await tunnel(PUPIL);
  await using long = await dial(gateway.port, TEACHER);
  await long.send(
    `GET http://${GOOGLE}:${site.http}/drip?n=500&ms=20 HTTP/1.1\r\nHost: ${GOOGLE}:${site.http}\r\n\r\n`,
  );
  await long.read('\r\n\r\n');
  gateway.setPolicy({ levels: { staff: STAFF.replace('safeSearch: off', 'safeSearch: on') } });
  t.not((await unbound.readToEnd(2000)).peer, 'open', 'the tunnel');
  t.not((await long.readToEnd(2000)).peer, 'open', 'the long answer');
  gateway.setPolicy(free);
  t.equal(await send(bound, 'GET / HTTP/1.1', `Host: ${GOOGLE}`), 200, 'one that goes to the safe address stays');
});

void t.test('an unblock opens a search engine at its safe address, and a watched one is told with it', async (t) => {
  await using site = await startSite();
  const listed = { [GOOGLE]: ['news'] };
  await using gateway = await startGateway(site, { listed, categories: { news: 'block' } });
  for (const [way, ask] of Object.entries(WAYS)) t.equal(await ask(gateway, site, PUPIL), 403, way);
  t.ok(
    gateway.spool.records.every((record) => !('retarget' in record)),
    'what is refused goes nowhere',
  );
  const now = Date.now();
  const grant = { id: 'g1', topic: 'Searching', people: [], ranges: [], passesPersonBlock: false };
  const hosts = { hosts: ['google.com'], categories: [], levels: ['ks1'] };
  gateway.setGrants([{ ...grant, ...hosts, from: now - 1000, until: now + 60_000 }]);
  for (const [way, ask] of Object.entries(WAYS)) t.ok((await ask(gateway, site, PUPIL)) < 300, way);
  t.equal(touched(site).open, 0);
  gateway.setPolicy({ categories: { news: 'monitor' } });
  t.equal(await WAYS['a tunnel']!(gateway, site, PUPIL), 200);
  await eventually('it is told', () => gateway.spool.events.length > 0);
  const told = parseEnvelope(JSON.stringify(gateway.spool.events.at(-1)));
  t.match(told, { type: 'access.flagged', data: { retarget: SAFE } });
});
