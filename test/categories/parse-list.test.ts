import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import type { LineSink } from '../../src/categories/accept-entry.ts';
import { createExpressionLookup, parseExpressions } from '../../src/categories/expression.ts';
import { readList } from '../../src/categories/list-content.ts';
import { needsPath } from '../../src/categories/needs-path.ts';
import { lineParser, type LineFormat } from '../../src/categories/parse-list.ts';
import { rangeText, readRange } from '../../src/categories/address-range.ts';
import { countPrefixes, entryPath } from '../../src/categories/path-prefix.ts';
import { siteOf, suffixKind } from '../../src/categories/public-suffix.ts';
import { canonicalHost } from '../../src/kernel/host.ts';

/** Accepted entries as they are, exceptions after `@@`, ranges after `=`, expressions after `~`, rejected lines as `!reason`. */
function sinkTo(found: string[]): LineSink {
  return {
    accept: (host, path) => found.push(host + (path ?? '')),
    except: (host, path) => found.push(`@@${host}${path ?? ''}`),
    acceptRange: (range) => found.push(`=${range}`),
    acceptExpression: (source) => found.push(`~${source}`),
    reject: (reason) => found.push(`!${reason}`),
  };
}

function parse(format: LineFormat, line: string): string[] {
  const found: string[] = [];
  lineParser(format)(line, sinkTo(found));
  return found;
}

const FORMATS: readonly LineFormat[] = ['domains', 'wildcard', 'hosts', 'urls', 'adblock', 'dnsmasq', 'cidr'];

type Row = readonly [line: string, expected: string | RegExp | readonly string[]];

function check(t: Test, format: LineFormat, rows: readonly Row[]): void {
  for (const [line, expected] of rows) {
    const name = `${format}: ${JSON.stringify(line.slice(0, 60))}`;
    if (expected instanceof RegExp) t.match(parse(format, line), [expected], name);
    else t.same(parse(format, line), typeof expected === 'string' ? [expected] : expected, name);
  }
}

await t.test('lines that are the same in every format', async (t) => {
  const rows: Row[] = [
    ['', []],
    ['   \t ', []],
    ['\r', []],
    ['# a comment', []],
  ];
  for (const format of FORMATS) check(t, format, rows);
  for (const format of ['domains', 'wildcard', 'hosts', 'urls', 'cidr'] as const) {
    check(t, format, [
      ['  ! a comment', []],
      ['; a comment', []],
    ]);
  }
});

await t.test('domains', async (t) => {
  check(t, 'domains', [
    ['bets.test', 'bets.test'],
    ['  Bets.TEST.\r', 'bets.test'],
    ['bets.test # why', 'bets.test'],
    ['bets.test#why', 'bets.test'],
    ['.afshin.test', 'afshin.test'],
    ['..afshin.test', 'afshin.test'],
    ['*.afshin.test', 'afshin.test'],
    ['xn--bcher-kva.test', 'xn--bcher-kva.test'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['love_miss.hot.test', 'love_miss.hot.test'],
    ['-jimbo-.tumblr.test', '-jimbo-.tumblr.test'],
    ['203.0.113.9', '203.0.113.9'],
    ['0xcb.0.113.9', '203.0.113.9'],
    ['[2001:DB8::7]', '2001:db8::7'],
    ['www.com', 'www.com'],
    ['www.ck', 'www.ck'],
    ['*', /^!would match every site/],
    ['*.', /^!would match every site/],
    ['.', /^!is neither/],
    ['com', /^!is a public suffix: "com"/],
    ['*.com', /^!is a public suffix: "com"/],
    ['co.uk', /^!is a public suffix/],
    ['sch.uk', /^!is a public suffix/],
    ['kent.sch.uk', /^!is a public suffix/],
    ['oak.kent.sch.uk', 'oak.kent.sch.uk'],
    ['github.io', /^!is a public suffix/],
    ['someone.github.io', 'someone.github.io'],
    ['ec2-192-0-2-1.compute-1.amazonaws.com', 'ec2-192-0-2-1.compute-1.amazonaws.com'],
    ['localhost', /^!is a public suffix/],
    ['b*ts.test', /^!has a wildcard/],
    ['bets.*', /^!has a wildcard/],
    ['0.0.0.0 bets.test', /^!looks like a line of a hosts file: set "format: hosts"/],
    ['bets.test games.test', /^!holds more than one word/],
    ['https://bets.test/', /^!is a URL.*set "format: urls"/],
    ['bets.test/x', /^!is a URL/],
    ['||bets.test^', /^!looks like a rule of an adblock list/],
    ['@@||bets.test^', /^!looks like a rule of an adblock list/],
    ['address=/bets.test/#', /^!looks like a line for dnsmasq|^!is a URL/],
    ['198.51.100.0/24', /^!is a range of addresses: set "format: cidr"/],
    ['2001:db8::/32', /^!is a range of addresses/],
    ['bets.test:8080', /^!has a port/],
    ['someone@bets.test', /^!has a user name/],
    ['bets..', /^!is a public suffix/],
    ['bet\u0000s.test', /^!is neither/],
    ['\ufffd\ufffd.test', /^!is neither/],
    [`${'a'.repeat(64)}.test`, /^!is neither/],
    [`${'a.'.repeat(125)}test`, `${'a.'.repeat(125)}test`.length > 253 ? /^!is neither/ : `${'a.'.repeat(125)}test`],
  ]);
});

await t.test('hosts', async (t) => {
  check(t, 'hosts', [
    ['0.0.0.0 bets.test', 'bets.test'],
    ['127.0.0.1\tBets.test  # why\r', 'bets.test'],
    ['0 bets.test', 'bets.test'],
    ['::1 bets.test', 'bets.test'],
    [':: bets.test', 'bets.test'],
    ['0.0.0.0 bets.test games.test', ['bets.test', 'games.test']],
    ['0.0.0.0 bets.test en', ['bets.test', '!is a public suffix: "en" would match the sites of everybody under it']],
    ['127.0.0.1 localhost', []],
    ['127.0.0.1 localhost localhost.localdomain', []],
    ['::1 ip6-localhost ip6-loopback', []],
    ['fe80::1%lo0 localhost', []],
    ['255.255.255.255 broadcasthost', []],
    ['0.0.0.0 0.0.0.0', []],
    ['0.0.0.0 localhost bets.test', 'bets.test'],
    ['0.0.0.0', /^!has an address and no name/],
    ['0.0.0.0 *', /^!would match every site/],
    ['0.0.0.0 com', /^!is a public suffix/],
    ['bets.test', /^!does not begin with an IP address/],
    ['216.239.38.120 www.google.test', /^!sends the name to 216\.239\.38\.120/],
  ]);
});

await t.test('urls', async (t) => {
  check(t, 'urls', [
    ['portal.test/games', 'portal.test/games'],
    ['Portal.TEST/Games/', 'portal.test/Games'],
    ['https://portal.test/games?', 'portal.test/games'],
    ['portal.test/a/../games//x', 'portal.test/games/x'],
    ['portal.test/%67ames', 'portal.test/games'],
    ['portal.test/show.php?f=255', 'portal.test/show.php?f=255'],
    ['portal.test/go?u=/', 'portal.test/go?u='],
    ['portal.test/??', 'portal.test'],
    ['portal.test?page=www', 'portal.test/?page=www'],
    ['203.0.113.9/jeux', '203.0.113.9/jeux'],
    ['portal.test', 'portal.test'],
    ['portal.test/', 'portal.test'],
    ['http://portal.test', 'portal.test'],
    ['portal.test/x # why', 'portal.test/x'],
    ['s3.amazonaws.com/bucket/x', 's3.amazonaws.com/bucket/x'],
    ['s3.amazonaws.com/', /^!is a public suffix/],
    ['co.uk/index.html', /^!is a public suffix/],
    ['/games', /^!would match every site/],
    ['*/games', /^!would match every site|^!has a wildcard/],
    ['portal.test:8080/games', /^!has a port/],
    ['me@portal.test/games', /^!has a user name/],
    ['portal.test/a b', /^!has a space/],
    [`portal.test/${'x'.repeat(2050)}`, /^!has a path of more than 2048 characters/],
    [`portal.test${'/x'.repeat(65)}`, /^!has a path of more than 64 parts/],
    [`portal.test${'/x'.repeat(64)}`, `portal.test${'/x'.repeat(64)}`],
  ]);
});

await t.test('wildcard', async (t) => {
  check(t, 'wildcard', [
    ['*.bets.test', 'bets.test'],
    ['*.Bets.test.\r', 'bets.test'],
    ['bets.test', 'bets.test'],
    ['*.203.0.113.9', '203.0.113.9'],
    ['*', /^!would match every site/],
    ['*.', /^!would match every site/],
    ['*.*', /^!has a wildcard/],
    ['*.com', /^!is a public suffix/],
    ['*.sch.uk', /^!is a public suffix/],
    ['*.kent.sch.uk', /^!is a public suffix/],
    ['bets*.test', /^!has a wildcard/],
    ['*.*.bets.test', /^!has a wildcard/],
  ]);
});

await t.test('adblock', async (t) => {
  check(t, 'adblock', [
    ['||bets.test^', 'bets.test'],
    ['||Bets.test^\r', 'bets.test'],
    ['||bücher.test^', 'xn--bcher-kva.test'],
    ['||*.bets.test^', 'bets.test'],
    ['||bets.test', 'bets.test'],
    ['||bets.test/', 'bets.test'],
    ['||bets.test/*', 'bets.test'],
    ['||bets.test^*', 'bets.test'],
    ['||bets.test^|', 'bets.test'],
    ['||203.0.113.9^', '203.0.113.9'],
    ['||bets.test/poker', 'bets.test/poker'],
    ['||bets.test/poker/*', 'bets.test/poker'],
    ['||bets.test/poker^', 'bets.test/poker'],
    ['||bets.test?a=1', 'bets.test/?a=1'],
    ['||bets.test^$all', 'bets.test'],
    ['||bets.test^$document,important', 'bets.test'],
    ['||bets.test^$third-party', 'bets.test'],
    ['||bets.test^$popup,3p', 'bets.test'],
    ['@@||good.bets.test^', '@@good.bets.test'],
    ['@@||bets.test/rules^', '@@bets.test/rules'],
    ['@@||good.bets.test^$important', '@@good.bets.test'],
    ['@@||good.bets.test^$third-party', /^!has the option "third-party"/],
    ['! a comment', []],
    ['!#if (adguard)', []],
    ['!#include more.txt', /^!includes another file/],
    ['[Adblock Plus 2.0]', []],
    ['####### section', []],
    ['#', []],
    ['||^', /^!would match every site/],
    ['||*^', /^!would match every site/],
    ['||*', /^!would match every site/],
    ['||', /^!would match every site/],
    ['@@||^', /^!would match every site/],
    ['@@||com^', /^!is a public suffix/],
    ['||com^', /^!is a public suffix/],
    ['||*.sch.uk^', /^!is a public suffix/],
    ['||com/x', /^!is a public suffix/],
    ['||bets.', /^!is the beginning of a name/],
    ['||bets-', /^!is the beginning of a name/],
    ['||bets*.test^', /^!has a wildcard other/],
    ['||bets.test:8080^', /^!has a port/],
    ['||bets.test^path', /^!has a wildcard or an anchor/],
    ['||bets.test/a*b', /^!has a wildcard or an anchor/],
    ['||bets.test/a|', /^!has a wildcard or an anchor/],
    ['||bets.test^$script', /^!has the option "script"/],
    ['||bets.test^$domain=a.test|b.test', /^!has the option "domain=a\.test\|b\.test"/],
    ['||bets.test^$badfilter', /^!has the option "badfilter"/],
    ['||bets.test^$~third-party', /^!has the option "~third-party"/],
    ['||bets.test^$', /^!has the option ""/],
    ['*', /^!does not begin with "\|\|"/],
    ['bets.test', /^!does not begin with "\|\|".*set "format: domains"/],
    ['com', /^!does not begin/],
    ['|https://bets.test/', /^!does not begin/],
    ['-banner-', /^!does not begin/],
    ['/ads[0-9]+$/', /^!is a regular expression/],
    ['/banner/*/ad.', /^!is a regular expression or a piece/],
    ['@@/x/', /^!is a regular expression/],
    ['##.advert', /^!changes what a page shows/],
    ['bets.test##.advert', /^!changes what a page shows/],
    ['bets.test#@#.advert', /^!changes what a page shows/],
    ['bets.test#?#.x:has(y)', /^!changes what a page shows/],
    ['bets.test#%#window.x = 1', /^!changes what a page shows/],
    ['bets.test$$script[a="b"]', /^!changes what a page shows/],
  ]);
});

await t.test('dnsmasq', async (t) => {
  check(t, 'dnsmasq', [
    ['address=/bets.test/#', 'bets.test'],
    ['address=/bets.test/', 'bets.test'],
    ['address=/bets.test/0.0.0.0\r', 'bets.test'],
    ['address=/bets.test/::', 'bets.test'],
    ['address=/bets.test/127.0.0.1 # why', 'bets.test'],
    ['server=/bets.test/', 'bets.test'],
    ['local=/bets.test/', 'bets.test'],
    ['local = /Bets.test/', 'bets.test'],
    ['address=/bets.test/games.test/#', ['bets.test', 'games.test']],
    ['address=/.bets.test/#', 'bets.test'],
    [
      'address=/com/bets.test/#',
      ['!is a public suffix: "com" would match the sites of everybody under it', 'bets.test'],
    ],
    ['address=/#/', /^!would match every site/],
    ['address=/#/0.0.0.0', /^!would match every site/],
    ['address=//0.0.0.0', /^!would match every site/],
    ['address=/*/#', /^!would match every site/],
    ['address=/', /^!has no name between two slashes/],
    ['address=/bets.test', /^!has no name between two slashes/],
    ['address=/bets.test/192.0.2.1', /^!sends its names to 192\.0\.2\.1 instead of nowhere/],
    ['server=/bets.test/192.0.2.53', /^!sends questions for its names to 192\.0\.2\.53/],
    ['server=/bets.test/#', /^!lets its names through/],
    ['server=192.0.2.53', /^!is not of the form/],
    ['cache-size=1000', /^!is not of the form/],
    ['bets.test', /^!is not of the form/],
    ['*', /^!is not of the form/],
  ]);
});

await t.test('cidr', async (t) => {
  check(t, 'cidr', [
    ['198.51.100.0/24', '=198.51.100.0/24'],
    ['198.51.100.77/24 # host bits', '=198.51.100.0/24'],
    ['198.51.100.9', '198.51.100.9'],
    ['198.51.100.9/32\r', '198.51.100.9'],
    ['203.0.113.0/24 ; SBL1234', '=203.0.113.0/24'],
    ['9.0.0.0/8', '=9.0.0.0/8'],
    ['2001:DB8::/32', '=2001:db8::/32'],
    ['2001:db8::7', '2001:db8::7'],
    ['[2001:db8::7]', '2001:db8::7'],
    ['2001:db8::7/128', '2001:db8::7'],
    ['2001:db8:8000::/33', '=2001:db8:8000::/33'],
    ['::ffff:203.0.113.0/120', '=203.0.113.0/24'],
    ['64:ff9b::203.0.113.9', '203.0.113.9'],
    ['0.0.0.0/0', /^!is wider than \/8/],
    ['::/0', /^!is wider than \/16/],
    ['::ffff:0:0/96', /^!is wider than \/8/],
    ['8.0.0.0/7', /^!is wider than \/8/],
    ['224.0.0.0/3', /^!is wider than \/8/],
    ['2000::/3', /^!is wider than \/16/],
    ['0.0.0.0', /^!holds addresses of 0\.0\.0\.0\/8/],
    ['10.0.0.0/8', /^!holds addresses of 10\.0\.0\.0\/8/],
    ['127.0.0.1', /^!holds addresses of 127\.0\.0\.0\/8/],
    ['192.168.1.0/24', /^!holds addresses of 192\.168\.0\.0\/16/],
    ['172.0.0.0/8', /^!holds addresses of 172\.16\.0\.0\/12/],
    ['169.254.169.254', /^!holds addresses of 169\.254/],
    ['::1', /^!holds addresses of ::\/127/],
    ['fd00::/64', /^!holds addresses of fc00::\/7/],
    ['fe80::1', /^!holds addresses of fe80::\/10/],
    ['198.51.100.0/33', /^!is neither/],
    ['198.51.100.0/', /^!is neither/],
    ['198.51.100.0/-1', /^!is neither/],
    ['198.51.100/24', /^!is neither/],
    ['198.51.100.1-198.51.100.9', /^!is neither/],
    ['198.51.100.0 198.51.100.255 24', /^!holds more than one word/],
    ['2001:db8::/129', /^!is neither/],
    ['fe80::1%eth0', /^!is neither/],
    ['*', /^!is neither/],
    ['com', /^!is neither/],
    ['bets.test', /^!is neither/],
  ]);
});

await t.test('expressions', async (t) => {
  const read = (...lines: string[]): string[] => {
    const found: string[] = [];
    const parse = parseExpressions();
    for (const line of lines) parse(line, sinkTo(found));
    return found;
  };
  const table: [line: string, expected: string | RegExp | readonly string[]][] = [
    ['', []],
    ['# a comment', []],
    ['(casino|poker)\r', '~(casino|poker)'],
    ['^[0-9]+\\.[0-9]+/search\\?q=[0-9]+$', '~^[0-9]+\\.[0-9]+/search\\?q=[0-9]+$'],
    ['[[:digit:]]{3}x', '~[[:digit:]]{3}x'],
    ['(', /^!is no expression that can be searched in linear time/],
    ['(a)\\1', /^!is no expression that can be searched in linear time/],
    ['a(?=b)', /^!is no expression that can be searched in linear time/],
    ['((a{1000}){1000})', /^!is no expression/],
    ['a{900}b{900}c{900}', /^!makes the expressions of this list larger than 2000/],
    ['.*', /^!would match every site/],
    ['', []],
    ['a*', /^!would match every site/],
    ['(casino|)', /^!would match every site/],
    ['[a-z.]', /^!would match every site/],
    ['^', /^!would match every site/],
    ...[
      'com',
      'COM$',
      '\\.co\\.uk$',
      'sch.uk',
      'www',
      '/',
      '-',
      '[0-9]',
      'e',
      '.',
      'x|com',
      '//|/',
      '(casino)?\\.',
    ].map((trap): [string, RegExp] => [trap, /^!would match every site, or many/]),
    ['\\.casino$', '~\\.casino$'],
    ['//', '~//'],
    ['bücher', /^!holds more than printable ASCII/],
    ['x'.repeat(4097), /^!is longer than 4096/],
  ];
  for (const [line, expected] of table) {
    if (expected instanceof RegExp) t.match(read(line), [expected], line.slice(0, 40));
    else t.same(read(line), typeof expected === 'string' ? [expected] : expected, line.slice(0, 40));
  }
  const many = read(...Array.from({ length: 101 }, (_, i) => `word${i}`));
  t.match(many[100], /^!comes after 100 expressions/);
  t.match(read('a{900}', 'b{900}', 'c{900}', 'word'), [/^~a/, /^~b/, /^!makes/, '~word'], 'a smaller one still fits');
});

await t.test('what is accepted is canonical and never a suffix, whatever the line', async (t) => {
  const marks = ['||', '@@', '^', '$all', 'address=/', '!', '/24', '::', '198.51.100.0'];
  const piece = fc.constantFrom(
    ...Array.from('aB.*/?#:@0[é'),
    ' ',
    '\t',
    '127.0.0.1',
    'com',
    'sch.uk',
    '%2e',
    ...marks,
  );
  const line = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  const format = fc.constantFrom(...FORMATS);
  const checkEntry = (host: string, path: string | null): void => {
    assert.equal(canonicalHost(host)?.name, host);
    if (canonicalHost(host)!.kind === 'name' && path === null) assert.equal(suffixKind(host), null);
    if (path !== null) assert.equal(entryPath(path), path);
    if (path !== null) assert.ok(countPrefixes(path) >= 1);
  };
  const soundness = fc.property(fc.oneof(line, fc.string()), format, (line, format) => {
    lineParser(format)(line, {
      reject: (reason) => assert.notEqual(reason, ''),
      accept: checkEntry,
      except: checkEntry,
      acceptRange: (range) => {
        assert.equal(rangeText(readRange(range)), range);
        assert.ok(readRange(range).bits >= 8);
      },
      acceptExpression: () => assert.fail('none of these formats has expressions'),
    });
  });
  t.doesNotThrow(() => fc.assert(soundness, { numRuns: 3000 }));
});

await t.test('a list that unpacks to more than anybody could mean is given up in the middle', async (t) => {
  const path = join(t.testdir(), 'bomb.gz');
  writeFileSync(path, gzipSync(Array.from({ length: 5_000 }, (_, i) => `n${i}.test\n`).join('')));
  const options = { onRejected: () => {}, onEntries: () => {}, onFile: () => {} };
  const files = [{ path, format: 'domains' }] as const;
  t.match(await readList(files, options), { accepted: 5_000 });
  await t.rejects(readList(files, { ...options, maxBytes: 9_999 }), {
    message: 'it holds more than 9,999 bytes of entries',
  });
});

/** Null where it does not compile. */
function lookupOf(sources: readonly string[]): ReturnType<typeof createExpressionLookup> {
  try {
    return createExpressionLookup(sources.map((source) => ({ list: 0, source })));
  } catch {
    return null;
  }
}

await t.test('an expression that needs a path is not searched for in a bare host', async (t) => {
  const needing = [
    '/banner/',
    '^[0-9]+/search\\?q=[0-9]+$',
    '(/a|b/)c',
    'x(?:y|z)\\/+',
    '(a|/)/{2}',
    '/{1,3}?',
    '/{,3}x',
    '.*/ymsgr*\\.exe',
    '[]/]/',
  ];
  const others = [
    'casino',
    'a|/b',
    '/*x',
    '/?x',
    '/{0,2}x',
    '(/)?x',
    '(/|)x',
    '(/)*+x',
    '[/]',
    '[^]/]x',
    '[[:alpha:]/]x',
    '[^-/-[:alpha:]|/]{1,2}/+',
    '[\\]/]x',
    '(?i)/',
    '(?P<n>/)',
    '\\x2f',
    '\\Qa/\\E',
    '\\pL/',
    '(?:/|(?:a|/))',
    '^(/|$)',
  ];
  t.same(
    needing.filter((source) => !needsPath(source)),
    [],
  );
  t.same(
    others.filter((source) => needsPath(source)),
    [],
  );
  const piece = fc.constantFrom(
    ...Array.from('ab/.|()[]*+?^${}:\\'),
    '{0}',
    '{1,2}',
    '(?:',
    '[^',
    '[:alpha:]',
    '{,2}',
    '(?i)',
  );
  const source = fc.array(piece, { minLength: 1, maxLength: 10 }).map((pieces) => pieces.join(''));
  let read = 0;
  const soundness = fc.property(
    source,
    fc.array(fc.string({ unit: fc.constantFrom(...Array.from('ab.{,2}')) }), { maxLength: 12 }),
    (source, hosts) => {
      if (!needsPath(source)) return;
      const lookup = lookupOf([source]);
      if (lookup === null) return;
      read++;
      for (const host of ['', ...hosts]) assert.deepEqual(lookup.find(host, ''), [], `${source} in ${host}`);
    },
  );
  t.doesNotThrow(() => fc.assert(soundness, { numRuns: 20_000 }));
  t.ok(read > 200, `${read} expressions`);
  const lookup = lookupOf([...needing, ...others.filter((source) => lookupOf([source]) !== null)])!;
  t.same(lookup.find('a.test', null), lookup.find('a.test', ''), 'what is left out there finds nothing');
  t.ok(lookup.find('a.test', '/banner/').includes(0));
});

await t.test('expressions made to be slow are searched for in steps that can be counted', async (t) => {
  const sources = ['(x+x+)+y', '([a-z]+)*[0-9]{30}!', '(a|b)*a(a|b){12}c', '.*.*.*=.*q$'];
  const lookup = createExpressionLookup(sources.map((source) => ({ list: 0, source })))!;
  const start = performance.now();
  for (const text of ['x', 'ab', 'aab', 'b'.repeat(13) + 'a', '=']) {
    t.same(lookup.find('evil.test', `/${text.repeat(70_000 / text.length)}`), [], text);
  }
  t.ok(performance.now() - start < 5000, 'a search that goes back would not end before the sun does');
});

await t.test('a line made to be slow takes no longer than its length', async (t) => {
  // The ends of paths were cut off by /[/?]+$/, which tries every one of a run of slashes again.
  const start = performance.now();
  t.equal(entryPath(`/${'?'.repeat(400_000)}x`)?.length, 400_002);
  t.equal(entryPath(`/x${'/?'.repeat(200_000)}`), '/x');
  t.ok(performance.now() - start < 5000);
});

await t.test('public suffixes', async (t) => {
  const table: [string, ReturnType<typeof suffixKind>][] = [
    ['com', 'icann'],
    ['invented', 'icann'],
    ['ck', 'icann'],
    ['anything.ck', 'icann'],
    ['www.ck', null],
    ['sch.uk', 'icann'],
    ['kent.sch.uk', 'icann'],
    ['oak.kent.sch.uk', null],
    ['github.io', 'private'],
    ['someone.github.io', null],
    ['compute-1.amazonaws.com', 'private'],
    ['one-machine.compute-1.amazonaws.com', null],
    ['example.test', null],
  ];
  for (const [name, expected] of table) t.equal(suffixKind(name), expected, name);
});

await t.test('the site of somebody’s own that a name belongs to', async (t) => {
  const table: [string, string][] = [
    ['www.example.co.uk', 'example.co.uk'],
    ['example.co.uk', 'example.co.uk'],
    ['a.b.example.test', 'example.test'],
    ['pages.someone.github.io', 'someone.github.io'],
    ['github.io', 'github.io'],
    ['co.uk', 'co.uk'],
    ['com', 'com'],
    ['10.1.2.3', '10.1.2.3'],
    ['2001:db8::a', '2001:db8::a'],
  ];
  for (const [host, site] of table) t.equal(siteOf(host), site, host);
});
