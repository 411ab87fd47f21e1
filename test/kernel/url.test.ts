import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import { canonicalPath, canonicalUrl, hostText, parseAuthority, parseUrl } from '../../src/kernel/url.ts';

void t.test('every spelling of a URL has one canonical text', async (t) => {
  const table: [string, string][] = [
    ['http://site.test', 'http://site.test/'],
    ['HTTP://SITE.test:80/', 'http://site.test/'],
    ['http://site.test:0080/', 'http://site.test/'],
    ['http://site.test:/', 'http://site.test/'],
    ['http://site.test:8080/', 'http://site.test:8080/'],
    ['https://site.test:443/', 'https://site.test/'],
    ['https://site.test:80/', 'https://site.test:80/'],
    ['http://site.test?q', 'http://site.test/?q'],
    ['http://site.test#f', 'http://site.test/'],
    ['http://site.test/a#f?x', 'http://site.test/a'],
    ['http:\\\\site.test\\a', 'http://site.test/a'],
    ['http://[::1]:8080/a', 'http://[::1]:8080/a'],
    ['http://2130706433/', 'http://127.0.0.1/'],
    ['http://site.test/%61', 'http://site.test/a'],
    ['http://site.test/%2561', 'http://site.test/a'],
    ['http://site.test/a//b', 'http://site.test/a/b'],
    ['http://site.test/a/./b/../c', 'http://site.test/a/c'],
    ['http://site.test/a/%2e%2e/b', 'http://site.test/b'],
    ['http://site.test/../../a', 'http://site.test/a'],
    ['http://site.test/a/..', 'http://site.test/'],
    ['http://site.test/a/.', 'http://site.test/a/'],
    ['http://site.test/a/', 'http://site.test/a/'],
    ['http://site.test/\\a\\..\\b', 'http://site.test/b'],
    ['http://site.test/a%2fb', 'http://site.test/a/b'],
    ['http://site.test/a;x=1', 'http://site.test/a;x=1'],
    ['http://site.test/%00', 'http://site.test/%00'],
    ['http://site.test/a b', 'http://site.test/a%20b'],
    ['http://site.test/caf\u00e9', 'http://site.test/caf%C3%A9'],
    ['http://site.test/caf%c3%a9', 'http://site.test/caf%C3%A9'],
    ['http://site.test/%e9', 'http://site.test/%E9'],
    ['http://site.test/100%', 'http://site.test/100%25'],
    ['http://site.test/%zz', 'http://site.test/%25zz'],
    ['http://site.test/a\tb\n', 'http://site.test/ab'],
    ['http://site.test/?a=//b/../c', 'http://site.test/?a=//b/../c'],
    ['http://site.test/?q=%41', 'http://site.test/?q=A'],
    ['http://site.test/?a?b', 'http://site.test/?a?b'],
  ];
  for (const [raw, expected] of table) {
    const url = parseUrl(raw);
    t.equal(typeof url === 'string' ? url : url.text, expected, raw);
  }
});

void t.test('what is no URL that can be judged, and why', async (t) => {
  const table: [string, string][] = [
    ['', 'malformed'],
    ['/path', 'malformed'],
    ['site.test/', 'malformed'],
    ['http:site.test', 'malformed'],
    ['http:/site.test', 'malformed'],
    ['http://', 'malformed'],
    ['http:///path', 'malformed'],
    ['http://:80/', 'malformed'],
    ['http://site.test:0/', 'malformed'],
    ['http://site.test:65536/', 'malformed'],
    ['http://site.test:99999999999/', 'malformed'],
    ['http://site.test:8a/', 'malformed'],
    ['http://site.test:-1/', 'malformed'],
    ['http://site.test:80:80/', 'malformed'],
    ['http://[::1]x/', 'malformed'],
    ['http://a b/', 'malformed'],
    [' http://site.test/', 'malformed'],
    ['http://user@site.test/', 'userinfo'],
    ['http://user:pw@site.test/', 'userinfo'],
    ['http://good.test@bad.test/', 'userinfo'],
    ['http://@site.test/', 'userinfo'],
    ['http://good.test\\@bad.test/', 'http://good.test/@bad.test/'],
    ['ftp://site.test/', 'protocol'],
    ['ws://site.test/', 'protocol'],
    ['javascript:alert(1)', 'protocol'],
    ['site.test:443', 'protocol'],
  ];
  for (const [raw, expected] of table) {
    const url = parseUrl(raw);
    t.equal(typeof url === 'string' ? url : url.text, expected, raw);
  }
});

void t.test('the client’s own path stays as it is, but for the fragment', async (t) => {
  const table: [string, string][] = [
    ['http://site.test', '/'],
    ['http://site.test/A%2fb/../c?Q=%41#f', '/A%2fb/../c?Q=%41'],
    ['http://site.test?q=1', '/?q=1'],
    ['http://site.test\\a', '/a'],
    ['http://site.test//a', '//a'],
  ];
  for (const [raw, expected] of table) {
    const url = parseUrl(raw);
    t.equal(typeof url === 'string' ? url : url.rawPath, expected, raw);
  }
});

void t.test('an authority', async (t) => {
  const table: [string, number | null, string | null][] = [
    ['site.test:443', null, 'site.test 443'],
    ['SITE.test.:0443', null, 'site.test 443'],
    ['[::1]:443', null, '::1 443'],
    ['site.test', 80, 'site.test 80'],
    ['site.test:', 80, 'site.test 80'],
    ['site.test', null, null],
    ['site.test:', null, null],
    [':443', null, null],
    ['::1:443', null, null],
    ['a:b:443', null, null],
    ['site.test:443/', null, null],
    ['user@site.test:443', null, null],
    ['site.test:000000443', null, null],
    ['', 80, null],
  ];
  for (const [raw, port, expected] of table) {
    const place = parseAuthority(raw, port);
    t.equal(place && `${place.host.name} ${place.port}`, expected, raw);
  }
  t.equal(hostText({ name: '::1', kind: 'ipv6' }), '[::1]');
});

const anyText = fc.oneof(
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.string({ unit: 'binary', maxLength: 60 }).map((tail) => `http://site.test/${tail}`),
  fc
    .array(fc.constantFrom('/', '.', '..', '%2e', '%2f', '%25', 'a', '\\', '?', '#', '%', ';', '%00', 'é'))
    .map((parts) => `http://site.test/${parts.join('')}`),
);

void t.test('a canonical URL is canonical already', async () => {
  fc.assert(
    fc.property(anyText, (raw) => {
      const once = parseUrl(raw);
      if (typeof once === 'string') return;
      const twice = parseUrl(once.text);
      assert.ok(typeof twice !== 'string', once.text);
      assert.equal(twice.text, once.text, raw);
      assert.equal(twice.path, once.path, raw);
      assert.match(once.path, /^\/[!-~]*$/, 'printable ASCII');
      assert.deepEqual(canonicalUrl(once.scheme, once.host, once.port, once.path).text, once.text);
    }),
    { numRuns: 3000 },
  );
});

void t.test('a path is the same however its characters are escaped', async () => {
  const plain = fc.stringMatching(/^\/[a-zA-Z0-9_~;,=&$!'()*+@:-]{1,20}(\/[a-zA-Z0-9_-]{1,10}){0,3}$/);
  fc.assert(
    fc.property(plain, fc.infiniteStream(fc.nat({ max: 3 })), (path, choices) => {
      assert.equal(canonicalPath(path), path);
      const hex = (c: string): string => c.charCodeAt(0).toString(16).padStart(2, '0');
      const ways = [
        (c: string) => c,
        (c: string) => `%${hex(c)}`,
        (c: string) => `%25${hex(c)}`,
        (c: string) => `%${hex(c).toUpperCase()}`,
      ];
      const spelled = Array.from(path.slice(1), (c) => ways[choices.next().value as number]!(c)).join('');
      assert.equal(canonicalPath(`/${spelled}`), path, spelled);
    }),
  );
});

void t.test('no text makes it slow', async (t) => {
  const began = performance.now();
  for (const path of [
    `/${'%25'.repeat(5000)}41`,
    `/${'../'.repeat(5000)}`,
    `/${'%'.repeat(16_000)}`,
    `/${'/.'.repeat(8000)}`,
    `/${'%2'.repeat(8000)}`,
  ]) {
    canonicalPath(path);
    parseUrl(`http://${path.slice(1)}/`);
  }
  t.ok(performance.now() - began < 2000);
});
