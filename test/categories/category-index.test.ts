import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import t from 'tap';
import { openIndex } from '../../src/categories/category-index.ts';
import { createIndexCompiler } from '../../src/categories/compile-lists.ts';
import { decodeIndex } from '../../src/categories/index-file.ts';
import { rangeText, readRange } from '../../src/categories/address-range.ts';
import { entryText } from '../../src/categories/explain-match.ts';
import { NO_MATCH } from '../../src/categories/match.ts';
import { SchoolgateError } from '../../src/kernel/errors.ts';
import { isWithin } from '../../src/kernel/host.ts';
import { addressRanges, canonicalAddress } from '../../src/kernel/ip.ts';
import { encodeSmall, factsOf, smallIndex, type SmallList } from './small-index.ts';

const LISTS: readonly SmallList[] = [
  { id: 'casino', category: 'gambling', entries: ['bets.test', 'play.example.org', '203.0.113.9', '2001:db8::7'] },
  { id: 'arcade', category: 'games', entries: ['bets.test', 'example.org/games', 'b.c.d.e.test'] },
  { id: 'more-bets', category: 'gambling', entries: ['www.bets.test', 'example.org/games/poker', 'www.com'] },
  {
    id: 'forum',
    category: 'adult',
    entries: ['board.test/show.php?f=255', 'board.test/go?/forum/9', 'deep.test/a/b/c/d/e/f/g/h', '203.0.113.9/x'],
  },
];

await t.test('what a host or URL matches', async (t) => {
  const index = smallIndex(LISTS);
  const table: [host: string, path: string | null, lists: string[], why: string][] = [
    ['bets.test', null, ['arcade', 'casino'], 'a name in two lists'],
    ['www.bets.test', null, ['arcade', 'casino', 'more-bets'], 'union of all lengths'],
    ['a.b.c.www.bets.test', null, ['arcade', 'casino', 'more-bets'], 'any depth below'],
    ['bets.test.evil.test', null, [], 'the name at the front says nothing'],
    ['mybets.test', null, [], 'same ending, other name'],
    ['ets.test', null, [], 'shorter name'],
    ['test', null, [], 'the parent of an entry'],
    ['', null, [], 'no host'],
    ['com', null, [], 'www.com is a name and com another'],
    ['x.com', null, [], 'www.com is a name and x.com another'],
    ['www.com', null, ['more-bets'], 'www.com itself'],
    ['c.d.e.test', null, [], 'parent of a deep entry'],
    ['203.0.113.9', null, ['casino'], 'an IPv4 address'],
    ['9.203.0.113.9', null, ['casino'], 'no host has this form; it is no other address'],
    ['3.0.113.9', null, [], 'the end of an address is no address'],
    ['2001:db8::7', null, ['casino'], 'an IPv6 address'],
    ['2001:db8::17', null, [], 'another IPv6 address'],
    ['example.org', null, [], 'URL entries say nothing of the host (CONNECT)'],
    ['example.org', '/', [], 'nor of its other pages'],
    ['example.org', '/games', ['arcade'], 'the page itself'],
    ['example.org', '/games/', ['arcade'], 'a slash at the end'],
    ['example.org', '/GAMES/x.html?y', ['arcade'], 'below it, case of letters apart'],
    ['example.org', '/games?x=1', ['arcade'], 'with a query'],
    ['example.org', '/games2', [], 'no segment boundary'],
    ['example.org', '/my/games', [], 'not at the beginning'],
    ['example.org', '/games/poker/7', ['arcade', 'more-bets'], 'two prefixes'],
    ['www.example.org', '/games/poker', ['arcade', 'more-bets'], 'hosts below too'],
    ['play.example.org', '/games', ['arcade', 'casino'], 'host and URL entries together'],
    ['203.0.113.9', '/x/y', ['casino', 'forum'], 'URL entries on an address'],
    ['board.test', '/show.php?f=255', ['forum'], 'an entry with a query'],
    ['board.test', '/show.php?f=255&page=2', ['forum'], 'and more of the query'],
    ['board.test', '/show.php?f=2556', [], 'another query'],
    ['board.test', '/show.php', [], 'no query'],
    ['board.test', '/go?/forum/9/x', ['forum'], 'a path in the query'],
    ['deep.test', '/a/b/c/d/e/f/g/h', ['forum'], 'deeper than five segments'],
    ['deep.test', '/a/b/c/d/e/f/g/h/i?j=/', ['forum'], 'and below'],
    ['deep.test', '/a/b/c/d/e/f/g', [], 'its parent'],
    ['deep.test', '/a;x=1/b/c/d;/e/f/g/h;y?z', ['forum'], 'the parameters of a path say nothing'],
    ['deep.test', `/${'a;'.repeat(500)}/b/c/d/e/f/g/h`, ['forum'], 'nor do many of them'],
    [`${'a.'.repeat(122)}bets.test`, `/${'a/'.repeat(32_000)}`, ['arcade', 'casino'], 'longest host, 64 KB path'],
    ['deep.test', `/a/b/c/d/e/f/g/h/${'x/'.repeat(32_000)}`, ['forum'], 'a prefix of a 64 KB path'],
  ];
  for (const [host, path, lists, why] of table) {
    const found = index.match(host, path);
    t.same(found.lists, lists, `${host.slice(-40)}${path?.slice(0, 40) ?? ''}: ${why}`);
  }
  t.same(index.match('www.bets.test', null).categories, ['gambling', 'games'], 'categories sorted, each once');
});

await t.test('equal answers are one frozen object', async (t) => {
  const index = smallIndex(LISTS);
  t.equal(index.match('nothing.test', '/x'), NO_MATCH);
  t.equal(index.match('bets.test', null), index.match('m.bets.test', '/x'));
  t.equal(index.match('example.org', '/games'), index.match('b.c.d.e.test', null), 'reached through different sets');
  t.throws(() => (index.match('bets.test', null).categories as string[]).push('x'), TypeError);
});

await t.test('an empty index matches nothing', async (t) => {
  t.equal(smallIndex([]).match('www.example.org', '/'), NO_MATCH);
});

await t.test('a damaged file is refused', async (t) => {
  const bytes = encodeSmall(LISTS);
  const facts = factsOf(LISTS);
  t.equal(openIndex(bytes, facts).sha256, createHash('sha256').update(bytes).digest('hex'), 'the sound one is not');
  const survived: string[] = [];
  const isRefused = (damaged: Uint8Array): boolean => {
    try {
      openIndex(damaged, facts);
      return false;
    } catch (error) {
      return error instanceof SchoolgateError && error.code === 'index_unusable';
    }
  };
  for (let i = 0; i < bytes.length; i++) {
    const flipped = Uint8Array.from(bytes);
    flipped[i]! ^= 1 << (i % 8);
    if (!isRefused(flipped)) survived.push(`bit of byte ${i}`);
    if (!isRefused(bytes.slice(0, i))) survived.push(`cut at ${i}`);
  }
  t.same(survived, []);
  t.ok(isRefused(Buffer.concat([bytes, Buffer.from('x')])), 'bytes after the end');
});

await t.test('a file of another version or other lists is refused in words', async (t) => {
  const next = Buffer.from(encodeSmall(LISTS));
  next.writeUInt32LE(99, 4);
  createHash('sha256')
    .update(next.subarray(0, -32))
    .digest()
    .copy(next, next.length - 32);
  t.throws(() => openIndex(next, factsOf(LISTS)), { message: /version 99.*lists build/ });
  t.throws(() => openIndex(encodeSmall(LISTS), factsOf(LISTS).slice(1)), { message: /built from other lists/ });
});

await t.test('the file need not be aligned in memory', async (t) => {
  const bytes = encodeSmall(LISTS);
  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  t.same(openIndex(shifted, factsOf(LISTS)).match('bets.test', null).lists, ['arcade', 'casino']);
});

await t.test('the file is small, and its numbers are true', async (t) => {
  const entries = Array.from({ length: 20_000 }, (_, i) => `n${i}.test`);
  const bytes = encodeSmall([{ id: 'many', category: 'games', entries }]);
  t.ok(bytes.length / entries.length <= 9.1, `${bytes.length / entries.length} bytes a domain`);
  const file = decodeIndex(bytes);
  t.match(file, { counts: { hosts: 20_000, urls: 0, ranges: 0 }, lists: [{ id: 'many' }], expressions: [] });
  const index = openIndex(bytes, factsOf([{ id: 'many', category: 'games', entries }]));
  t.ok(entries.every((name) => index.match(`sub.${name}`, null).lists.length === 1));
  t.notOk(entries.some((name) => index.match(`x${name}`, null).lists.length > 0));
});

await t.test('lists that overlap in more ways than the format can name are refused', async (t) => {
  const compiler = createIndexCompiler({ a: 1, b: 2 });
  const names = Array.from({ length: 1 << 17 }, (_, i) => `n${i}.test\n`);
  for (let list = 0; list < 17; list++) {
    const own = names.filter((_, i) => (i >> list) % 2 === 1);
    compiler.addList({ id: `list-${list}`, category: 'games', format: 'domains' }, Buffer.from(own.join('')));
  }
  t.throws(() => compiler.encode(), { code: 'too_many_sets' });
});

await t.test('what a list excepts is out of that list and of no other', async (t) => {
  const index = smallIndex([
    {
      id: 'ads',
      category: 'adverts',
      entries: ['ads.test', '!good.ads.test', '!ads.test/help', '=198.51.100.0/24', '!198.51.100.7'],
    },
    { id: 'more', category: 'adverts', entries: ['good.ads.test', '~^play[.]ads'] },
    { id: 'third', category: 'trackers', entries: ['!elsewhere.test', '~ads'] },
  ]);
  const table: [host: string, path: string | null, lists: string[], why: string][] = [
    ['ads.test', null, ['ads', 'third'], 'beside the exception'],
    ['good.ads.test', null, ['more', 'third'], 'the exception itself'],
    ['x.good.ads.test', '/help', ['more', 'third'], 'below it'],
    ['ads.test', '/help/me', ['third'], 'a path that is excepted'],
    ['ads.test', '/helpless', ['ads', 'third'], 'another path'],
    ['198.51.100.8', null, ['ads'], 'a range'],
    ['198.51.100.7', null, [], 'an exception within a range'],
    ['elsewhere.test', null, [], 'an exception from nothing'],
  ];
  for (const [host, path, lists, why] of table) t.same(index.match(host, path).lists, lists, `${host}: ${why}`);
  t.equal(index.match('elsewhere.test', null), NO_MATCH);
  t.equal(index.match('198.51.100.7', null), NO_MATCH);
});

const RANGES: readonly SmallList[] = [
  { id: 'wide', category: 'malware', entries: ['=198.51.0.0/16', '=2001:db8::/32', '=203.0.113.0/31'] },
  {
    id: 'narrow',
    category: 'proxy',
    entries: ['=198.51.100.0/24', '198.51.100.9', '=2001:db8:1::/48', '2001:db8:1::5', '=10.0.0.0/8'],
  },
];

await t.test('an address is in every range that holds it', async (t) => {
  const index = smallIndex(RANGES);
  const table: [host: string, lists: string[]][] = [
    ['198.51.100.9', ['narrow', 'wide']],
    ['198.51.100.255', ['narrow', 'wide']],
    ['198.51.101.0', ['wide']],
    ['198.50.255.255', []],
    ['198.52.0.0', []],
    ['203.0.113.1', ['wide']],
    ['203.0.113.2', []],
    ['10.255.255.255', ['narrow']],
    ['11.0.0.0', []],
    ['2001:db8::', ['wide']],
    ['2001:db8:1::5', ['narrow', 'wide']],
    ['2001:db8:1:ffff::', ['narrow', 'wide']],
    ['2001:db8:2::', ['wide']],
    ['2001:db7:ffff:ffff:ffff:ffff:ffff:ffff', []],
    ['2001:db9::', []],
    ['198.51.100.9.test', []],
    ['198.51.100', []],
    ['a198.51.100.9', []],
    ['', []],
  ];
  for (const [host, lists] of table) t.same(index.match(host, null).lists, lists, host);
});

await t.test('an address that a name resolves to is judged by the lists of addresses alone', async (t) => {
  const index = smallIndex([
    { id: 'fire', category: 'malware', format: 'cidr', entries: ['=198.51.100.0/24', '203.0.113.9'] },
    { id: 'sites', category: 'games', entries: ['198.51.100.9', '203.0.113.9', '192.0.2.1', '~^198'] },
  ]);
  const table: [address: string, lists: string[]][] = [
    ['198.51.100.9', ['fire']],
    ['203.0.113.9', ['fire']],
    ['192.0.2.1', []],
    ['192.0.2.2', []],
  ];
  for (const [address, lists] of table) t.same(index.matchAddress(address).lists, lists, address);
  t.same(index.match('203.0.113.9', null).lists, ['fire', 'sites'], 'by both, where it is what was asked for');
  t.equal(index.matchAddress('203.0.113.9'), index.matchAddress('203.0.113.9'));
  t.equal(smallIndex(RANGES).matchAddress('198.51.100.9'), NO_MATCH, 'no list is one of addresses');
});

const address = fc.oneof(
  fc.tuple(fc.constantFrom(10, 11), fc.constantFrom(0, 128), fc.nat(1), fc.nat(255)).map((octets) => octets.join('.')),
  fc
    .tuple(fc.constantFrom('2001', '2002'), fc.constantFrom('db8', '0'), fc.constantFrom('0', '1', 'ff00'))
    .map(([a, b, c]) => canonicalAddress(`${a}:${b}::${c}`)!),
);
const range = fc
  .tuple(address, fc.nat(128))
  .map(([first, bits]) => rangeText(readRange(`${first}/${first.includes(':') ? bits : bits % 33}`)));

await t.test('ranges agree with a plain reading of them', async (t) => {
  const agreement = fc.property(fc.array(range, { maxLength: 8 }), address, (ranges, host) => {
    const entries = [...new Set(ranges)].map((one) => (one.includes('/') ? `=${one}` : one));
    const isListed = addressRanges(ranges).has(host);
    assert.equal(smallIndex([{ id: 'list', category: 'c', entries }]).match(host, null).lists.length > 0, isListed);
  });
  t.doesNotThrow(() => fc.assert(agreement, { numRuns: 1000 }));
});

await t.test('expressions are searched for in host and path, in any case', async (t) => {
  const index = smallIndex([
    { id: 'words', category: 'adult', entries: ['~(^|[-./])casino', '~^[0-9.]+/search[?]q=', '~[.]zip$'] },
    { id: 'names', category: 'adult', entries: ['casino.test', '~poker'] },
  ]);
  const table: [host: string, path: string | null, lists: string[], why: string][] = [
    ['www.casino-x.test', null, ['words'], 'a CONNECT shows the host'],
    ['a.test', '/CASINO', ['words'], 'the path, in another case'],
    ['a.test', null, [], 'a CONNECT shows no path'],
    ['192.0.2.1', '/search?q=x', ['words'], 'the beginning of the host'],
    ['a.test', '/192.0.2.1/search?q=x', [], 'and no other place'],
    ['a.test', '/x.zip', ['words'], 'the end'],
    ['a.test', '/x.zip?y', [], 'which is the end of the whole'],
    ['a.test', '/x.zip;y', ['words'], 'but for parameters'],
    ['casino.test', '/poker', ['names', 'words'], 'together with names'],
    ['a.test', `/${'x'.repeat(2040)}/poker`, [], 'text behind 2,048 characters is not looked at'],
    ['a.test', `/${'x'.repeat(1000)}/poker`, ['names'], 'before it is'],
  ];
  for (const [host, path, lists, why] of table) {
    t.same(index.match(host, path).lists, lists, why);
    t.equal(index.match(host, path), index.match(host, path), 'the same answer is the same object');
  }
});

await t.test('the entries behind an answer', async (t) => {
  const index = smallIndex([
    { id: 'a', category: 'games', entries: ['bets.test', 'www.bets.test', 'example.org/x', 'example.org/x/y?z=1'] },
    { id: 'b', category: 'malware', entries: ['=192.0.2.0/24', '=192.0.0.0/16', '192.0.2.1', '=2001:db8::/32'] },
    { id: 'c', category: 'adult', entries: ['~casino', 'x.test', '~^192', '!bets.test'] },
    { id: 'd', category: 'adult', entries: ['bets.test', '!www.bets.test', '~poker'] },
  ]);
  const table: [host: string, path: string | null, entries: string[]][] = [
    [
      'm.www.bets.test',
      null,
      [
        'a: www.bets.test and everything under it',
        'd: not on this list, which excepts www.bets.test',
        'a: bets.test and everything under it',
        'c: not on this list, which excepts bets.test',
      ],
    ],
    [
      'bets.test',
      null,
      [
        'a: bets.test and everything under it',
        'd: bets.test and everything under it',
        'c: not on this list, which excepts bets.test',
      ],
    ],
    ['example.org', null, []],
    ['example.org', '/x/y?z=1&w', ['a: example.org/x', 'a: example.org/x/y?z=1']],
    ['example.org', '/x;a=b/y;c?z=1', ['a: example.org/x', 'a: example.org/x/y?z=1']],
    ['192.0.2.1', null, ['b: 192.0.2.1', 'b: 192.0.0.0/16', 'b: 192.0.2.0/24', 'c: expression no. 2, ^192']],
    ['2001:db8::1', '/casino', ['b: 2001:db8::/32', 'c: expression no. 1, casino']],
    ['y.test', '/casino/poker', ['c: expression no. 1, casino', 'd: expression no. 1, poker']],
    ['nothing.test', '/', []],
  ];
  for (const [host, path, entries] of table) {
    const found = index.explain(host, path);
    t.same(found.map((one) => `${one.list}: ${entryText(one)}`).sort(), entries.sort(), `${host}${path ?? ''}`);
    const lists = [...new Set(found.flatMap(({ form, list }) => (form === 'exception' ? [] : [list])))].sort();
    t.same(lists, index.match(host, path).lists, 'from the very lists of the answer');
  }
});

const label = fc.stringMatching(/^[ab]{1,2}$/);
const host = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => `${labels.join('.')}.test`);
const segments = fc.array(fc.constantFrom('a', 'b', 'ab', 'B'), { minLength: 1, maxLength: 3 });
const query = fc.option(fc.array(fc.constantFrom('a', 'b=1', 'b=12'), { minLength: 1, maxLength: 2 }), { nil: null });
const path = fc.tuple(segments, query).map(([s, q]) => `/${s.join('/')}${q === null ? '' : `?${q.join('&')}`}`);
const entry = fc.oneof(
  host,
  fc.tuple(host, path).map(([h, p]) => h + p),
);
const lists = fc.array(fc.uniqueArray(entry, { maxLength: 12 }), { minLength: 1, maxLength: 4 });

function plainlyMatches(entry: string, host: string, path: string | null): boolean {
  const slash = entry.indexOf('/');
  if (slash < 0) return isWithin(host, entry);
  const prefix = entry.slice(slash).toLowerCase();
  const asked = path?.toLowerCase() ?? null;
  if (asked === null || !isWithin(host, entry.slice(0, slash)) || !asked.startsWith(prefix)) return false;
  const next = asked.slice(prefix.length, prefix.length + 1);
  return next === '' || next === '/' || next === '?' || (prefix.includes('?') && next === '&');
}

await t.test('look-ups agree with a plain reading of the entries', async (t) => {
  const agreement = fc.property(lists, host, fc.option(path, { nil: null }), (entryLists, host, path) => {
    const small = entryLists.map((entries, i) => ({ id: `list-${i}`, category: `c${i % 2}`, entries }));
    const expected = small.filter((list) => list.entries.some((one) => plainlyMatches(one, host, path)));
    const index = smallIndex(small);
    const found = index.match(host, path);
    assert.deepEqual(found.lists, expected.map((list) => list.id).sort());
    assert.deepEqual(found.categories, [...new Set(expected.map((list) => list.category))].sort());
    const explained = index.explain(host, path).map((one) => `${one.list} ${one.entry.toLowerCase()}`);
    const named = small.flatMap(({ id, entries }) =>
      entries.filter((one) => plainlyMatches(one, host, path)).map((one) => `${id} ${one.toLowerCase()}`),
    );
    assert.deepEqual(explained.sort(), [...new Set(named)].sort());
  });
  t.doesNotThrow(() => fc.assert(agreement, { numRuns: 1000 }));
});
