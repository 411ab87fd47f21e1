import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t, { type Test } from 'tap';
import { lineParser, type LineFormat } from '../../src/categories/parse-list.ts';
import { countPrefixes, entryPath } from '../../src/categories/path-prefix.ts';
import { suffixKind } from '../../src/categories/public-suffix.ts';
import { canonicalHost } from '../../src/kernel/host.ts';

/** Accepted entries as they are, rejected ones as `!reason`. */
function parse(format: LineFormat, line: string): string[] {
  const found: string[] = [];
  lineParser(format)(line, {
    accept: (host, path) => found.push(host + (path ?? '')),
    reject: (reason) => found.push(`!${reason}`),
  });
  return found;
}

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
    ['  ! a comment', []],
    ['; a comment', []],
  ];
  for (const format of ['domains', 'hosts', 'urls'] as const) check(t, format, rows);
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

await t.test('what is accepted is canonical and never a suffix, whatever the line', async (t) => {
  const piece = fc.constantFrom(...Array.from('aB.*/?#:@0[é'), ' ', '\t', '127.0.0.1', 'com', 'sch.uk', '%2e');
  const line = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
  const format = fc.constantFrom<LineFormat>('domains', 'hosts', 'urls');
  const soundness = fc.property(fc.oneof(line, fc.string()), format, (line, format) => {
    lineParser(format)(line, {
      reject: (reason) => assert.notEqual(reason, ''),
      accept: (host, path) => {
        assert.equal(canonicalHost(host)?.name, host);
        if (canonicalHost(host)!.kind === 'name' && path === null) assert.equal(suffixKind(host), null);
        if (path !== null) assert.equal(entryPath(path), path);
        if (path !== null) assert.ok(countPrefixes(path) >= 1);
      },
    });
  });
  t.doesNotThrow(() => fc.assert(soundness, { numRuns: 3000 }));
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
