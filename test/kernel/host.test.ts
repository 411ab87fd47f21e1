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
    ['...blocked...test...', 'blocked.test'],
    ['%25252562locked%25252etest', 'blocked.test'],
    ['%u0062locked.test', 'blocked.test'],
    ['blocked%c0%aetest', 'blocked.test'],
    ['%c1%a2locked.test', 'blocked.test'],
    ['blocked%E3%80%82test', 'blocked.test'],
    ['b%c3%bccher.test', 'xn--bcher-kva.test'],
    ['b%25c3%25bccher.test', 'xn--bcher-kva.test'],
    ['localhost', 'localhost'],
    ['_dmarc.example.com', '_dmarc.example.com'],
    ['a_b.test', 'a_b.test'],
    ['a-.test', 'a-.test'],
    ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
    ['XN--BCHER-KVA.test', 'xn--bcher-kva.test'],
    // No Unicode name has this form. DNS can hold it and lists name some, so it stands for itself.
    ['xn--a.test', 'xn--a.test'],
    ['xn--\u00fc.test', null],
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
    // UTS 46, non-transitional: what is kept apart, what is the same, what is left out.
    ['ſ\u212a.test', 'sk.test'],
    ['βόλος.com', 'xn--nxasmm1c.com'],
    ['ΒΌΛΟΣ.com', 'xn--nxasmq6b.com'],
    ['日本語。ＪＰ', 'xn--wgv71a119e.jp'],
    ['نامه\u200cای.com', 'xn--mgba3gch31f060k.com'],
    ['ශ්\u200dරී.com', 'xn--10cl1a0b660p.com'],
    ['Fäß.de', 'xn--f-qfao.de'],
    ['FAẞ.de', 'xn--fa-hia.de'],
    ['öbb.at', 'xn--bb-eka.at'],
    ['I\u2764.test', 'xn--i-7iq.test'],
    ['ℬℯ𝓉.test', 'bet.test'],
    ['ⓑⓔⓣ.test', 'bet.test'],
    ['b\u200be\ufeff\u2060\ufe0ft.test', 'bet.test'],
    ['a\u200db.test', null],
    ['a\u200cb.test', null],
    ['bet\u2024test', null],
    ['bet\ufe52test', null],
    ['be\u202et.test', null],
    ['127.0.0。1', '127.0.0.1'],
    ['⑫⑦.0.0.①', '127.0.0.1'],
    ['127.0.0.⒈', null],
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
    ['%31%32%37.1', '127.0.0.1'],
    ['127..1', '127.0.0.1'],
    ['.127.1.', '127.0.0.1'],
    ['127.65535', '127.0.255.255'],
    ['127.0.65535', '127.0.255.255'],
    ['127.16777215', '127.255.255.255'],
    ['4294967295', '255.255.255.255'],
    ['0xffffffff', '255.255.255.255'],
    ['037777777777', '255.255.255.255'],
    ['0000000000000000000177.0.0.1', '127.0.0.1'],
    ['0x0000000000000000000007f.1', '127.0.0.1'],
    ['0', '0.0.0.0'],
    ['0x', '0.0.0.0'],
    ['127.0.0.0x', '127.0.0.0'],
    ['4294967296', null],
    ['0x100000000', null],
    ['040000000000', null],
    ['127.16777216', null],
    ['127.0.65536', null],
    ['127.0.0.256', null],
    ['256.0.0.1', null],
    ['127.0.0.1.1', null],
    ['127.0.0.0xg', '127.0.0.0xg'],
    ['127.0.0.09', null],
    ['1.2.3.a', '1.2.3.a'],
    ['a.b.1', null],
    ['a.b.0x1', null],
    ['-1', '-1'],
    ['1e3', '1e3'],
    ['[::1]', '::1'],
    ['::1', '::1'],
    ['[0:0:0:0:0:0:0:1]', '::1'],
    ['[2001:DB8::A]', '2001:db8::a'],
    ['[2001:db8:0:0:1:0:0:1]', '2001:db8::1:0:0:1'],
    ['[::ffff:127.0.0.1]', '127.0.0.1'],
    ['[::ffff:7f00:1]', '127.0.0.1'],
    ['[64:ff9b::7f00:1]', '127.0.0.1'],
    ['[0:0:0:0:0:FFFF:7F00:0001]', '127.0.0.1'],
    ['[64:ff9b::127.0.0.1]', '127.0.0.1'],
    ['[64:ff9b:1::127.0.0.1]', '127.0.0.1'],
    ['[64:ff9b:1:abcd::7f00:1]', '127.0.0.1'],
    ['[64:ff9b:2::7f00:1]', '64:ff9b:2::7f00:1'],
    ['[::ffff:0:127.0.0.1]', '127.0.0.1'],
    ['[::127.0.0.1]', '127.0.0.1'],
    ['[::7f00:1]', '127.0.0.1'],
    ['[::0.0.0.1]', '::1'],
    ['[::]', '::'],
    ['[0::0:0]', '::'],
    ['[1:2:3:4:5:6:7::]', '1:2:3:4:5:6:7:0'],
    ['[1::2:0:0:0:0]', '1:0:0:2::'],
    ['[::1].', null],
    ['[::1%251]', null],
    ['[::1%lo]', null],
    ['fe80::1%eth0', null],
    ['[::00001]', null],
    ['[::ffff:127.0.0.01]', null],
    ['[::ffff:0x7f.0.0.1]', null],
    ['[::ffff:127.1]', null],
    ['[::127.0.0.1:1]', null],
    ['[1:2:3:4:5:6:7:8:9]', null],
    ['[1:2:3:4:5:6:7]', null],
    ['[1::2::3]', null],
    ['[:1]', null],
    ['[%3a%3a1]', null],
    ['[[::1]]', null],
    ['[]', null],
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
    ...Array.from('!"$&\'()*+,;=^`{|}~\x7f\x01\x1f\xa0', (c): [string, null] => [`a${c}b.test`, null]),
    ['℀.test', null],
    ['a／b', null],
    ['a％2eb', null],
    ['a＠b.test', null],
    ['a：80', null],
    ['a%ef%bc%8fb', null],
    ['\ufffd.test', null],
    ['\ud800.test', null],
    ['\u0301a.test', null],
    ['\u00ad', null],
    ['%C2%AD.%E3%80%82', null],
    ['%00', null],
    ['bet.test%00.good.test', null],
    ['bet.test%c0%80', null],
    ['bet.test%0d%0a', null],
    ['bet.test%20', null],
    ['bet%2', null],
    ['%f8%80%80%80%ae.test', null],
    ['%ed%a0%80.test', null],
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

/** As browsers read a host, where they and DNS agree on what one is; null elsewhere. */
function asBrowsersDo(host: string): string | null {
  const name = URL.parse(`http://${host}/`)?.hostname;
  return name !== undefined && /^(?:[a-z0-9_-]{1,63}(?:\.|$))+$/.test(name) && name.length <= 253 ? name : null;
}

void t.test('a host without escapes and odd dots is read as browsers read it', async () => {
  const letters = 'a B 9 - _ é ß ς Σ 例 ｅ Ⅸ ² ﬁ 𝔟 ا \u0301 \u00ad \u200d . . xn-- bcher-kva 0x 1 07 8';
  const text = fc
    .array(fc.constantFrom(...letters.split(' ')), { minLength: 1, maxLength: 10 })
    .map((parts) => parts.join('').replace(/\.{2,}/g, '.'));
  fc.assert(
    fc.property(text, (host) => {
      const expected = /^\.|\.$/.test(host) ? null : asBrowsersDo(host);
      if (expected !== null && !/^\.|\.$|\.\./.test(expected)) assert.equal(canonicalHost(host)?.name, expected, host);
      if (URL.parse(`http://${host.replace(/^\.|\.$/g, '')}/`) === null) assert.equal(canonicalHost(host), null, host);
    }),
    { numRuns: 3000 },
  );
  const group = fc.constantFrom('', '0', '1', 'ffff', 'FF9B', '64', '00001', 'g', '1.2.3.4', '01.2.3.4', '0:0', ':');
  fc.assert(
    fc.property(fc.array(group, { minLength: 2, maxLength: 9 }), (groups) => {
      const spelled = `[${groups.join(':')}]`;
      const expected = URL.parse(`http://${spelled}/`)?.hostname;
      const found = canonicalHost(spelled);
      assert.equal(found === null, expected === undefined, spelled);
      if (found?.kind === 'ipv6') assert.equal(`[${found.name}]`, expected);
      if (found?.kind === 'ipv4') assert.equal(found.name, lastFourBytes(expected!), spelled);
    }),
    { numRuns: 3000 },
  );
});

/** Of an IPv6 address as a browser writes it, with brackets. */
function lastFourBytes(hostname: string): string {
  const [before, after = ''] = hostname.slice(1, -1).split('::') as [string, string?];
  const [head, tail] = [before, after].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head!.length - tail!.length }, () => '0');
  const low = [...head!, ...zeros, ...tail!].slice(6).map((group) => Number.parseInt(group, 16));
  return low.flatMap((group) => [group >> 8, group & 255]).join('.');
}

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
