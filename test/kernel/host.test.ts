import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { canonicalHost, isWithin } from '../../src/kernel/host.ts';

void t.test('every spelling of a host has one canonical form', async (t) => {
  const table: [string, string | null][] = [
    ['example.com', 'example.com'],
    ['Example.COM.', 'example.com'],
    ['example.com..', 'example.com'],
    ['.example.com', 'example.com'],
    ['example..com', 'example.com'],
    ['%62locked.test', 'blocked.test'],
    ['%2562locked.test', 'blocked.test'],
    ['blocked%2etest', 'blocked.test'],
    ['localhost', 'localhost'],
    ['_dmarc.example.com', '_dmarc.example.com'],
    ['a_b.test', 'a_b.test'],
    ['a-.test', 'a-.test'],
    ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
    ['XN--BCHER-KVA.test', 'xn--bcher-kva.test'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['BÜCHER.test', 'xn--bcher-kva.test'],
    ['bu\u0308cher.test', 'xn--bcher-kva.test'],
    ['b%C3%BCcher.test', 'xn--bcher-kva.test'],
    ['faß.test', 'xn--fa-hia.test'],
    ['ｂｅｔ.test', 'bet.test'],
    ['bet。test', 'bet.test'],
    ['bet．test', 'bet.test'],
    ['bet｡test', 'bet.test'],
    ['b\u00adet.test', 'bet.test'],
    ['b%C2%ADet.test', 'bet.test'],
    ['аррӏе.test', 'xn--80ak6aa92e.test'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1.', '127.0.0.1'],
    ['127.1', '127.0.0.1'],
    ['127.0.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['0x7f000001', '127.0.0.1'],
    ['0X7F.0.0.1', '127.0.0.1'],
    ['017700000001', '127.0.0.1'],
    ['0177.0x0.0.1', '127.0.0.1'],
    ['１２７.0.0.1', '127.0.0.1'],
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['[2001:DB8::A]', '2001:db8::a'],
    ['[2001:db8:0:0:1:0:0:1]', '2001:db8::1:0:0:1'],
    ['[::ffff:127.0.0.1]', '127.0.0.1'],
    ['[::ffff:7f00:1]', '127.0.0.1'],
    ['[64:ff9b::7f00:1]', '127.0.0.1'],
    ['', null],
    ['.', null],
    ['..', null],
    ['a b', null],
    ['a/b', null],
    ['a\\b', null],
    ['a?b', null],
    ['a#b', null],
    ['a@b', null],
    ['a%40b', null],
    ['a%2fb', null],
    ['a%00b', null],
    ['a\0b', null],
    ['a\tb', null],
    ['a%0ab', null],
    ['a<b', null],
    ['a%zz', null],
    ['%', null],
    ['%ff.test', null],
    ['256.1.1.1', null],
    ['1.2.3.4.5', null],
    ['0x.test.0xg', '0x.test.0xg'],
    ['1.2.3.08', null],
    ['[::1', null],
    ['::1]', null],
    ['[fe80::1%25eth0]', null],
    ['[1.2.3.4]', null],
    ['[v1.x]', null],
    ['[::g]', null],
    ['a'.repeat(63) + '.test', 'a'.repeat(63) + '.test'],
    ['a'.repeat(64) + '.test', null],
    ['a.'.repeat(126) + 'a', 'a.'.repeat(126) + 'a'],
    ['a.'.repeat(127) + 'a', null],
    ['a'.repeat(5000), null],
  ];
  for (const [raw, expected] of table) t.equal(canonicalHost(raw)?.name ?? null, expected, JSON.stringify(raw));
});

void t.test('the kind of a host', async (t) => {
  const table: [string, string][] = [
    ['example.com', 'name'],
    ['a.b.c.d', 'name'],
    ['1.2.3.4', 'ipv4'],
    ['0x1.2', 'ipv4'],
    ['[::ffff:1.2.3.4]', 'ipv4'],
    ['[2001:db8::1]', 'ipv6'],
  ];
  for (const [raw, kind] of table) t.equal(canonicalHost(raw)?.kind, kind, raw);
});

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/).filter((text) => !/^xn--|^..--/.test(text));
const name = fc
  .tuple(fc.array(label, { maxLength: 4 }), fc.stringMatching(/^[a-z]{2,10}$/))
  .map(([labels, last]) => [...labels, last].join('.'));

void t.test('a canonical host is canonical already, and any spelling comes to it', async () => {
  fc.assert(
    fc.property(name, fc.infiniteStream(fc.nat({ max: 4 })), (host, choices) => {
      assert.deepEqual(canonicalHost(host), { name: host, kind: 'name' });
      const hex = (c: string): string => c.charCodeAt(0).toString(16);
      const ways = [
        (c: string) => c,
        (c: string) => c.toUpperCase(),
        (c: string) => `%${hex(c)}`,
        (c: string) => `%25${hex(c)}`,
      ];
      const spelled = Array.from(host, (c) => (ways[choices.next().value as number] ?? ways[0]!)(c)).join('');
      assert.deepEqual(canonicalHost(`${spelled}.`), { name: host, kind: 'name' }, spelled);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (raw) => {
      const once = canonicalHost(raw);
      if (once !== null) assert.deepEqual(canonicalHost(once.name), once, JSON.stringify(raw));
    }),
    { numRuns: 2000 },
  );
  fc.assert(
    fc.property(fc.ipV6(), (raw) => {
      const once = canonicalHost(`[${raw}]`);
      assert.ok(once !== null, raw);
      assert.deepEqual(canonicalHost(once.kind === 'ipv6' ? `[${once.name}]` : once.name), once);
    }),
  );
});

void t.test('four numbers in any radix and length are one address', async () => {
  const radix = (value: number, way: number): string =>
    [String(value), `0x${value.toString(16)}`, `0${value.toString(8)}`, `0X${value.toString(16).toUpperCase()}`][way]!;
  const byte = fc.nat({ max: 255 });
  fc.assert(
    fc.property(
      byte,
      byte,
      byte,
      byte,
      fc.nat({ max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      (a, b, c, d, way, parts) => {
        const [whole, three, two] = [((a * 256 + b) * 256 + c) * 256 + d, (b * 256 + c) * 256 + d, c * 256 + d];
        const numbers = [[whole], [a, three], [a, b, two], [a, b, c, d]][parts - 1]!;
        const spelled = numbers.map((value, i) => radix(value, (way + i) % 4)).join('.');
        assert.equal(canonicalHost(spelled)?.name, `${a}.${b}.${c}.${d}`, spelled);
      },
    ),
  );
});

void t.test('a host lies within a parent on a label’s boundary only', async (t) => {
  const table: [string, string, boolean][] = [
    ['bet.test', 'bet.test', true],
    ['www.bet.test', 'bet.test', true],
    ['a.b.bet.test', 'bet.test', true],
    ['notbet.test', 'bet.test', false],
    ['bet.test.evil.example', 'bet.test', false],
    ['test', 'bet.test', false],
    ['et.test', 'bet.test', false],
  ];
  for (const [host, parent, expected] of table) t.equal(isWithin(host, parent), expected, `${host} in ${parent}`);
});
