import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { lineParser } from '../../src/categories/parse-list.ts';
import { parseUrl } from '../../src/kernel/url.ts';
import { judge, prepareKnown, prepareRules } from '../../src/policy/check-url.ts';
import { at, snapshotOf } from '../policy/small-school.ts';
import { type SmallList, smallIndex } from './small-index.ts';

/** The entry of a `urls` list as it is read, canonical. */
function entryOf(line: string): string {
  const found: string[] = [];
  const keep = (...parts: (string | null)[]): void => void found.push(parts.join(''));
  const sink = { accept: keep, except: keep, acceptRange: keep, acceptExpression: keep, reject: keep };
  lineParser('urls')(line, sink);
  return found.join();
}

void t.test('the index finds an entry for every Safe Browsing expression of a URL', async (t) => {
  const table: [string, string[]][] = [
    [
      'http://a.b.com/1/2.html?param=1',
      ['a.b.com', 'b.com'].flatMap((host) => ['/1/2.html?param=1', '/1/2.html', '/', '/1/'].map((path) => host + path)),
    ],
    [
      'http://a.b.c.d.e.f.com/1.html',
      ['a.b.c.d.e.f.com', 'c.d.e.f.com', 'd.e.f.com', 'e.f.com', 'f.com'].flatMap((host) => [
        `${host}/1.html`,
        `${host}/`,
      ]),
    ],
    ['http://1.2.3.4/1/', ['1.2.3.4/1/', '1.2.3.4/']],
    ['http://example.co.uk/1', ['example.co.uk/1', 'example.co.uk/']],
    ['http://[2001:db8::7]/1/2/', ['[2001:db8::7]/1/2/', '[2001:db8::7]/1/', '[2001:db8::7]/']],
    // Four folders of the path are what a client of theirs tries; all of them are entries here.
    [
      'http://www.site.test/a/b/c/d/e/f.html?x',
      ['/a/b/c/d/e/f.html?x', '/a/b/c/d/e/f.html', '/', '/a/', '/a/b/', '/a/b/c/', '/a/b/c/d/', '/a/b/c/d/e/'].map(
        (path) => `www.site.test${path}`,
      ),
    ],
  ];
  for (const [raw, expressions] of table) {
    const url = parseUrl(raw);
    if (typeof url === 'string') throw new Error(`${raw}: ${url}`);
    // Each expression is alone in a list of its own, so that none stands in for another.
    const lists = expressions.map((line, i): SmallList => ({
      id: `list-${i}`,
      category: 'games',
      entries: [entryOf(line)],
    }));
    const index = smallIndex(lists);
    t.strictSame(index.match(url.host.name, url.path).lists.toSorted(), lists.map(({ id }) => id).toSorted(), raw);
    t.strictSame(index.match('other.example', url.path).lists, [], 'another host');
  }
});

const hex = (text: string): string => text.charCodeAt(0).toString(16).padStart(2, '0');

/** Ways to write one ASCII letter, digit or sign, deeper and deeper. */
const LETTER: readonly ((c: string) => string)[] = [
  (c) => c,
  (c) => c,
  (c) => `%${hex(c)}`,
  (c) => `%${hex(c).toUpperCase()}`,
  (c) => `%25${hex(c)}`,
  (c) => `%25252525${hex(c)}`,
  (c) => `%%3${hex(c)[0]!}${hex(c)[1]!}`,
  (c) => `%u00${hex(c)}`,
  (c) => `%${(0xc0 | (c.charCodeAt(0) >> 6)).toString(16)}%${(0x80 | (c.charCodeAt(0) & 63)).toString(16)}`,
];
const HOST_LETTER = [...LETTER, (c: string) => c.toUpperCase(), (c: string) => fullWidth(c)];
const DOTS = ['.', '.', '..', '%2e', '%252E', '\u3002', '%e3%80%82', '\uff0e', '\uff61', '.%2e'];
const SLASHES = [
  '/',
  '/',
  '//',
  '/./',
  '%2f',
  '\\',
  '%5C',
  '/x/../',
  '/x/%2e%2e/',
  '/%252e/',
  '/x/..;a/',
  '/x//../../',
  '/./%2F',
];

function fullWidth(c: string): string {
  return String.fromCharCode(c.charCodeAt(0) + 0xfee0);
}

/** Some spelling of a text whose separators (`.` or `/`) and other characters can each be written in several ways. */
function spelled(text: string, separator: string, letters: readonly ((c: string) => string)[], separators: string[]) {
  return fc
    .array(fc.nat({ max: 1000 }), { minLength: text.length, maxLength: text.length })
    .map((choices) =>
      Array.from(text, (c, i) =>
        c === separator ? separators[choices[i]! % separators.length]! : letters[choices[i]! % letters.length]!(c),
      ).join(''),
    );
}

const scheme = fc.constantFrom('http://', 'HTTP://', 'hTTp:\\\\', 'http:/\\', ' \thttp://', 'ht\ntp://');
const port = fc.constantFrom('', ':', ':80', ':0080', ':00000000000000080');
const hostEnd = fc.constantFrom('', '', '.', '...', '%2e', '\u3002');
const pathEnd = fc.constantFrom('', '', '/', '?', '?x=/../', '#x', '/sub%2fpage', '//', '/a/..', '/.');

const LISTS: readonly SmallList[] = [
  { id: 'hosts', category: 'gambling', entries: ['bet.test', 'xn--bcher-kva.test', '8.8.4.4', '2001:db8::7'] },
  { id: 'pages', category: 'adult', entries: ['site.test/bets/today.html'] },
];

void t.test('every spelling of a blocked target has its host, its path and its verdict', async () => {
  const rules = prepareRules({
    policy: snapshotOf(),
    serial: 1,
    people: { people: [] },
    index: smallIndex(LISTS),
    destinations: () => ({ mayReach: () => true }),
  });
  const known = prepareKnown({ grants: [] });
  const verdictOf = (url: string): unknown => {
    const { verdict, action, reason, category, categories, lists, rule } = judge(
      rules,
      known,
      { url },
      at('2026-11-23T10:00:00Z'),
      null,
    ).verdict;
    return { verdict, action, reason, category, categories, lists, rule };
  };
  const same = (plain: string, spelling: fc.Arbitrary<string>): void => {
    const url = parseUrl(plain);
    if (typeof url === 'string') throw new Error(url);
    const expected = verdictOf(plain);
    assert.partialDeepStrictEqual(expected, { verdict: 'block', reason: 'category' }, plain);
    fc.assert(
      fc.property(spelling, (raw) => {
        const other = parseUrl(raw);
        if (typeof other === 'string') throw new Error(`${JSON.stringify(raw)} is ${other}`);
        assert.deepEqual(other.host, url.host, JSON.stringify(raw));
        assert.ok(other.path.startsWith(url.path), `${JSON.stringify(raw)} is ${other.path}`);
        assert.deepEqual(verdictOf(raw), expected, JSON.stringify(raw));
      }),
      { numRuns: 500 },
    );
  };
  const hosts: [string, fc.Arbitrary<string>][] = [
    ['www.bet.test', spelled('www.bet.test', '.', HOST_LETTER, DOTS)],
    [
      'xn--bcher-kva.test',
      fc.constantFrom(
        'bücher.test',
        'BÜCHER。test',
        'bu\u0308cher.test',
        'b%C3%BCcher.test',
        'b%25c3%25bccher%2Etest',
        'XN--Bcher-KVA.test',
        'bü\u00adch\u200ber.test',
        '%u0062%u00fccher.test',
      ),
    ],
    [
      '8.8.4.4',
      fc.constantFrom(
        '134743044',
        '0x08080404',
        '010.8.1028',
        '8.525316',
        '0x8.0x8.04.4',
        '8%2e8.4.4',
        '[::ffff:8.8.4.4]',
        '[::808:404]',
        '[64:ff9b::808:404]',
        '[64:ff9b:1::8.8.4.4]',
        '[0:0::FFFF:0:0808:0404]',
        '８。８．４｡４',
        '%31%33%34743044',
      ),
    ],
    [
      '[2001:db8::7]',
      fc.constantFrom('[2001:DB8::7]', '[2001:0db8:0:0::0:7]', '[2001:db8::0.0.0.7]', '[2001:db8:0:0:0:0:0:7]'),
    ],
  ];
  for (const [plain, spelling] of hosts) {
    const end = plain.startsWith('[') || plain === '8.8.4.4' ? fc.constant('') : hostEnd;
    same(
      `http://${plain}/`,
      fc.tuple(scheme, spelling, end, port, fc.constantFrom('', '/', '\\', '?', '#')).map((parts) => parts.join('')),
    );
  }
  const page = '/bets/today.html';
  const path = spelled(page.slice(1), '/', [...LETTER, (c) => `${c}\t`], SLASHES);
  const start = fc.constantFrom(...SLASHES.filter((slash) => /^[/\\]/.test(slash)));
  same(
    `http://site.test${page}`,
    fc
      .tuple(scheme, fc.constantFrom('site.test', 'SITE%2etest.'), port, start, path, pathEnd)
      .map((parts) => parts.join('')),
  );
});

const decode = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)));
const decodeWide = (text: string): string =>
  text.replace(/%u([0-9a-f]{4})/gi, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)));
const foldOverlong = (text: string): string =>
  text.replace(/[\xc0\xc1][\x80-\xbf]/g, (two) =>
    String.fromCharCode(((two.charCodeAt(0) & 1) << 6) | (two.charCodeAt(1) & 63)),
  );
const merge = (path: string): string => path.replace(/\/{2,}/g, '/');
const dropParameters = (path: string): string => path.replace(/;[^/]*/g, '');

function climb(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

/** Ways in which servers find the page a request names, from the path as it came. */
const READERS: Readonly<Record<string, (path: string) => string>> = {
  'takes it as it is': (path) => path,
  'decodes once': decode,
  'climbs, then decodes': (path) => decode(climb(path)),
  'decodes, then climbs': (path) => merge(climb(decode(path))),
  'decodes, merges slashes, then climbs': (path) => climb(merge(decode(path))),
  'decodes twice': (path) => merge(climb(decode(decode(path)))),
  'leaves parameters out, then decodes': (path) => climb(merge(decode(dropParameters(path)))),
  'decodes, then leaves parameters out': (path) => climb(merge(dropParameters(decode(path)))),
  'takes backslashes for slashes': (path) => climb(merge(decode(path).replaceAll('\\', '/'))),
  'takes anything for anything': (path) =>
    climb(merge(foldOverlong(decode(decode(decodeWide(path)))).replaceAll('\\', '/'))).toLowerCase(),
  'stops at a NUL': (path) => climb(merge(decode(path))).split('\0')[0]!,
};

void t.test('no server finds a listed page in what goes up for a request that was allowed', async () => {
  const index = smallIndex([{ id: 'page', category: 'adult', entries: ['site.test/bets/now'] }]);
  const signs =
    '/ / / bets now bets/now x NOW .. . %2e %2E%2e %2f %5c \\ %25 2e 2f %252e %252f %00 ; ;a=b ? %3f # %23 // + % b';
  const piece = fc.constantFrom(...`${signs} %c0%ae %c0%af %u002e %u002f %u003b %62ets n%6Fw ..; %3b`.split(' '));
  let allowed = 0;
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 9 }), (pieces) => {
      const url = parseUrl(`http://site.test/${pieces.join('')}`);
      if (typeof url === 'string' || index.match('site.test', url.path).lists.length > 0) return;
      allowed++;
      const sent = url.rawPath.split('?', 1)[0]!;
      for (const [how, read] of Object.entries(READERS)) {
        assert.doesNotMatch(read(sent), /^\/bets\/now(?:[/?]|$)/, `${how}: ${pieces.join('')} is sent as ${sent}`);
      }
    }),
    { numRuns: 20_000 },
  );
  assert.ok(allowed > 1000);
});
