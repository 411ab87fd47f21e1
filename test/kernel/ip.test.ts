import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import {
  addressKind,
  addressRanges,
  canonicalAddress,
  canonicalRange,
  isCidr,
  isDottedQuad,
  rangeBits,
} from '../../src/kernel/ip.ts';

void t.test('which part of the address space an address lies in', async (t) => {
  const table: [string, string][] = [
    ['8.8.8.8', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['11.0.0.0', 'public'],
    ['2606:4700::1111', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['::1', 'loopback'],
    ['10.0.0.0', 'private'],
    ['10.255.255.255', 'private'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.0', 'private'],
    ['100.64.0.1', 'private'],
    ['fc00::1', 'private'],
    ['fdff::1', 'private'],
    ['169.254.169.254', 'linkLocal'],
    ['fe80::1', 'linkLocal'],
    ['febf::1', 'linkLocal'],
    ['0.0.0.0', 'special'],
    ['0.1.2.3', 'special'],
    ['224.0.0.1', 'special'],
    ['240.0.0.1', 'special'],
    ['255.255.255.255', 'special'],
    ['192.0.2.1', 'special'],
    ['::', 'special'],
    ['ff02::1', 'special'],
    ['2002:a00:1::', 'special'],
    ['2001::1', 'special'],
    ['2001:db8::1', 'special'],
    ['::a00:1', 'special'],
    ['64:ff9b:1::a00:1', 'special'],
  ];
  for (const [address, kind] of table) t.equal(addressKind(address), kind, address);
});

void t.test('one spelling of an address', async (t) => {
  const table: [string, string | null][] = [
    ['1.2.3.4', '1.2.3.4'],
    ['01.2.3.4', null],
    ['1.2.3', null],
    ['1.2.3.256', null],
    ['1.2.3.4.', null],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['0:0:0:0:0:ffff:102:304', '1.2.3.4'],
    ['64:ff9b::102:304', '1.2.3.4'],
    ['64:ff9b:1::102:304', '1.2.3.4'],
    ['64:ff9b:1:2:3:4:102:304', '1.2.3.4'],
    ['64:ff9b:0:1::102:304', '64:ff9b:0:1::102:304'],
    ['::ffff:0:1.2.3.4', '1.2.3.4'],
    ['::1.2.3.4', '1.2.3.4'],
    ['::ffff', '::ffff'],
    ['::1:0', '0.1.0.0'],
    ['2002:102:304::', '2002:102:304::'],
    ['::ffff:01.2.3.4', null],
    ['::00001', null],
    ['1:2', null],
    ['[::1]', null],
    ['::1 ', null],
    [':'.repeat(5000), null],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', null],
    ['', null],
    ['::g', null],
    ['1::2::3', null],
  ];
  for (const [text, expected] of table) t.equal(canonicalAddress(text), expected, text);
  for (const text of ['1.2.3.4', '0.0.0.0', '255.255.255.255']) t.ok(isDottedQuad(text), text);
  for (const text of ['1.2.3.04', '1.2.3', '1.2.3.4.5', '1.2.3.4.', '256.1.1.1', 'a.b.c.d', '1..2.3'])
    t.notOk(isDottedQuad(text), text);
});

void t.test('ranges', async (t) => {
  const ranges = addressRanges(['10.0.0.0/8', '192.168.7.9', '2001:db8::/32', '::1', '::ffff:172.16.0.0']);
  const table: [string, boolean][] = [
    ['10.0.0.0', true],
    ['10.255.255.255', true],
    ['11.0.0.0', false],
    ['192.168.7.9', true],
    ['192.168.7.8', false],
    ['2001:db8:ffff::1', true],
    ['2001:db9::1', false],
    ['::1', true],
    ['::2', false],
    ['172.16.0.0', true],
  ];
  for (const [address, expected] of table) {
    t.equal(ranges.has(address), expected, address);
    t.equal(ranges.has(address), expected, `${address} again`);
  }
  t.notOk(addressRanges([]).has('1.2.3.4'));
  const carried = addressRanges(['64:ff9b::a00:0/104', '::ffff:0:0/112', '::/8', '64:ff9b:1::/48']);
  for (const address of ['10.0.0.1', '10.255.0.0', '0.0.255.255', '::2']) t.ok(carried.has(address), address);
  for (const address of ['11.0.0.0', '0.1.0.0', '2001:db8::']) t.notOk(carried.has(address), address);
  t.ok(addressRanges(['0.0.0.0/0']).has('1.2.3.4'));
  t.notOk(addressRanges(['0.0.0.0/0']).has('::1'), 'the one family is not the other');
  for (const text of [
    '',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0.0/ 8',
    '10.0.0.0/1e1',
    '10.0.0/8',
    '::/129',
    'x',
    '10.0.0.0/8x',
  ]) {
    t.notOk(isCidr(text), text);
    t.throws(() => addressRanges([text]), { message: `"${text}" is not an IP address or CIDR range` });
  }
  for (const text of ['10.0.0.0/0', '10.0.0.1/32', '::/0', '::1/128', '1.2.3.4']) t.ok(isCidr(text), text);
});

void t.test('a range has one spelling', async (t) => {
  const table: [string, string | null][] = [
    ['203.0.113.0/24', '203.0.113.0/24'],
    ['203.0.113.99/24', '203.0.113.0/24'],
    ['203.0.113.99/32', '203.0.113.99'],
    ['203.0.113.99', '203.0.113.99'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:DB8:0:0::1/32', '2001:db8::/32'],
    ['2001:db8::1/128', '2001:db8::1'],
    ['::ffff:203.0.113.9/120', '203.0.113.0/24'],
    ['203.0.113.0/33', null],
    ['example.com/24', null],
  ];
  for (const [text, expected] of table) t.equal(canonicalRange(text), expected, text);
  const bits: [string, number][] = [
    ['203.0.113.0/24', 120],
    ['203.0.113.9', 128],
    ['2001:db8::/32', 32],
  ];
  for (const [text, expected] of bits) t.equal(rangeBits(text), expected, text);
});

void t.test('a range holds what its bits say, asked often or seldom', async () => {
  const byte = fc.nat({ max: 255 });
  const address = fc.tuple(byte, byte, byte, byte);
  fc.assert(
    fc.property(address, fc.nat({ max: 32 }), fc.array(address, { maxLength: 30 }), (base, bits, asked) => {
      const number = (one: readonly number[]): number => one.reduce((sum, part) => sum * 256 + part, 0);
      const size = 2 ** (32 - bits);
      const ranges = addressRanges([`${base.join('.')}/${bits}`]);
      for (const one of [base, ...asked, base]) {
        assert.equal(ranges.has(one.join('.')), Math.floor(number(one) / size) === Math.floor(number(base) / size));
      }
    }),
  );
});
