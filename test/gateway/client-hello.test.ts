import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import * as fc from 'fast-check';
import t from 'tap';
import { type ClientHello, GatheredHello, MAX_HELLO_BYTES, readClientHello } from '../../src/gateway/client-hello.ts';
import { clientHello, clientHelloMessage, type HelloOptions, records } from '../helpers/client-hello.ts';
import { listen } from '../helpers/listening.ts';

const complete = (serverName: string | null, more: Partial<ClientHello> = {}) => ({
  state: 'complete',
  serverName,
  conflicting: false,
  ech: false,
  ...more,
});

void t.test('hellos of every kind', async (t) => {
  const table: [string, HelloOptions, object][] = [
    ['plain', { serverNames: ['site.test'] }, complete('site.test')],
    ['no name', {}, complete(null)],
    ['no session id', { serverNames: ['site.test'], sessionIdBytes: 0 }, complete('site.test')],
    ['GREASE', { serverNames: ['site.test'], grease: true }, complete('site.test')],
    ['post-quantum', { serverNames: ['site.test'], grease: true, keyShareBytes: 1216 }, complete('site.test')],
    ['ECH', { serverNames: ['outer.test'], ech: true }, complete('outer.test', { ech: true })],
    ['two names', { serverNames: ['a.test', 'b.test'] }, complete(null, { conflicting: true })],
    ['the same name twice', { serverNames: ['a.test', 'a.test'] }, complete(null, { conflicting: true })],
    ['two extensions', { serverNames: ['a.test'], nameExtensions: 2 }, complete('a.test', { conflicting: true })],
    ['an empty name', { serverNames: [''] }, complete(null, { conflicting: true })],
    ['an empty list', { nameExtensions: 1 }, complete(null, { conflicting: true })],
    ['an address', { serverNames: ['10.0.0.1'] }, complete('10.0.0.1')],
    ['bytes that are no name', { serverNames: ['a\0b\xff'] }, complete('a\0b\xff')],
    ['many records', { serverNames: ['site.test'], keyShareBytes: 1216, recordBytes: 1 }, complete('site.test')],
    ['larger than a record', { serverNames: ['site.test'], keyShareBytes: 30_000 }, complete('site.test')],
  ];
  for (const [what, options, expected] of table) t.same(readClientHello(clientHello(options)), expected, what);
});

void t.test('whatever the cuts, a hello is read when it is whole and not before', async () => {
  const options = fc.record({
    serverNames: fc.array(fc.constantFrom('site.test', 'www.example.org'), { minLength: 0, maxLength: 1 }),
    ech: fc.boolean(),
    grease: fc.boolean(),
    keyShareBytes: fc.constantFrom(32, 1216),
    sessionIdBytes: fc.constantFrom(0, 32),
    recordBytes: fc.integer({ min: 1, max: 2000 }),
  });
  fc.assert(
    fc.property(options, fc.nat({ max: 500 }), fc.boolean(), (given, more, isHandshake) => {
      const hello = clientHello(given);
      const after = isHandshake ? records(Buffer.alloc(more, 2), 100) : Buffer.alloc(more);
      const expected = complete(given.serverNames[0] ?? null, { ech: given.ech });
      assert.deepEqual(readClientHello(Buffer.concat([hello, after])), expected);
      // Every cut, but of long ones only some: what is read again and again is quadratic.
      const step = hello.length > 3000 ? 97 : 1;
      for (let cut = 0; cut < hello.length; cut += step) {
        const part = readClientHello(hello.subarray(0, cut));
        assert.ok(part.state === 'incomplete', `cut at ${cut} of ${hello.length}`);
        assert.ok(part.missing >= 1 && cut + part.missing <= hello.length, `${part.missing} missing at ${cut}`);
      }
    }),
    { numRuns: 60 },
  );
});

void t.test('pieces of any size are put together', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.array(fc.integer({ min: 1, max: 300 })), (recordBytes, sizes) => {
      const hello = clientHello({ serverNames: ['site.test'], keyShareBytes: 1216, recordBytes });
      let gathered: GatheredHello | null = null;
      for (let at = 0, i = 0; at < hello.length; i++) {
        const piece = hello.subarray(at, at + (sizes[i % sizes.length] ?? 1));
        at += piece.length;
        const read: ClientHello = gathered === null ? readClientHello(piece) : gathered.add(piece);
        assert.equal(read.state, at < hello.length ? 'incomplete' : 'complete');
        if (read.state === 'incomplete') gathered ??= new GatheredHello(piece, read.missing);
      }
      if (gathered !== null) assert.deepEqual(gathered.bytes, hello);
    }),
  );
});

void t.test('a hello in single bytes costs little more than one in one piece', async (t) => {
  for (const recordBytes of [1, 16_384]) {
    const hello = clientHello({
      serverNames: ['site.test'],
      keyShareBytes: recordBytes === 1 ? 10_000 : 60_000,
      recordBytes,
    });
    const began = performance.now();
    const gathered = new GatheredHello(hello.subarray(0, 1), 1);
    for (let at = 1; at < hello.length - 1; at++) gathered.add(hello.subarray(at, at + 1));
    t.equal(gathered.add(hello.subarray(-1)).state, 'complete');
    t.ok(performance.now() - began < 1000, `${hello.length} bytes in records of ${recordBytes}`);
  }
});

void t.test('any bytes at all give an answer, and garbage does not make a client wait for more', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const { state } = readClientHello(Buffer.from(bytes));
      assert.ok(bytes.length === 0 || bytes[0] === 22 || state === 'not-tls');
    }),
  );
  fc.assert(
    fc.property(fc.nat({ max: 400 }), fc.nat({ max: 255 }), fc.boolean(), (at, value, longer) => {
      const hello = clientHello({ serverNames: ['site.test'], grease: true });
      if (longer) hello.writeUInt16BE(value * 257, Math.min(at, hello.length - 2));
      else hello[at % hello.length] = value;
      assert.ok(['complete', 'incomplete', 'not-tls'].includes(readClientHello(hello).state));
    }),
  );
});

void t.test('what is not the beginning of TLS', async (t) => {
  const message = clientHelloMessage({ serverNames: ['site.test'] });
  const table: [string, Buffer][] = [
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.9\r\n')],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an HTTP/2 preface', Buffer.from('PRI * HTTP/2.0\r\n')],
    ['SSLv2', Buffer.from([0x80, 0x2e, 1, 3, 1])],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 2, 40])],
    ['application data', Buffer.from([23, 3, 3, 0, 4, 1, 2, 3, 4])],
    ['a server hello', records(Buffer.from([2, 0, 0, 40, ...Buffer.alloc(40)]), 100)],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['a record beyond the limit', Buffer.from([22, 3, 1, 0x41, 0x01])],
    ['a version beyond 3', Buffer.from([22, 4, 0])],
    ['a message of 16 MB', records(Buffer.from([1, 255, 255, 255, 3, 3]), 100)],
    [
      'another record inside the message',
      Buffer.concat([records(message.subarray(0, 20), 100), Buffer.from([23, 3, 3])]),
    ],
    ['a length that points outside', records(Buffer.from([1, 0, 0, 36, 3, 3, ...Buffer.alloc(32), 200, 0]), 100)],
    [
      'extensions that end early',
      records(
        tampered(message, (bytes) => bytes.writeUInt16BE(3, extensionsAt(bytes))),
        999,
      ),
    ],
  ];
  for (const [what, bytes] of table) t.equal(readClientHello(bytes).state, 'not-tls', what);
  t.ok(MAX_HELLO_BYTES >= 4096, 'a hello with post-quantum keys and ECH fits');
});

function tampered(message: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(message);
  change(copy);
  return copy;
}

/** Where the two length bytes of all extensions stand: after version, random, session id, ciphers and compression. */
function extensionsAt(message: Buffer): number {
  let at = 4 + 34;
  at += 1 + message[at]!;
  at += 2 + message.readUInt16BE(at);
  return at + 1 + message[at]!;
}

void t.test('a hello without extensions at all is an old one, not a broken one', async (t) => {
  const body = Buffer.concat([Buffer.from([3, 1]), Buffer.alloc(32), Buffer.from([0, 0, 2, 0, 47, 1, 0])]);
  const message = Buffer.concat([Buffer.from([1, 0, 0, body.length]), body]);
  t.same(readClientHello(records(message, 100)), complete(null));
});

void t.test('what a real TLS library sends', async (t) => {
  const versions = ['TLSv1.2', 'TLSv1.3'] as const;
  for (const maxVersion of versions) {
    const hellos: Buffer[] = [];
    await using server = await listen(createServer((socket) => socket.once('data', (bytes) => hellos.push(bytes))));
    const client = tlsConnect({ port: server.port, host: '127.0.0.1', servername: 'real.test', maxVersion });
    client.on('error', () => {});
    while (hellos.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    client.destroy();
    t.same(readClientHello(hellos[0]!), complete('real.test'), maxVersion);
  }
});
